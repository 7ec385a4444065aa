"""The hooks that hear of a whole run: in every step, or once a run.

``run_config.hooks: per_run`` keeps `before_pipeline_run`, `after_pipeline_run` and `on_pipeline_error` of the project
(``settings.HOOKS``) and of plugins out of the steps: the start task calls the first, the exit task one of the others, both inside
the MLflow run, which code of theirs may log to. kedro-mlflow's are the exception: they are about the run that a process has
joined, and each step joins it.
https://docs.kedro.org/en/stable/extend/hooks/introduction/
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from kedro_kubeflow.contract import RUN_ID_ENV, StepCall
from kedro_kubeflow.errors import KedroKubeflowError, StepError, described
from kedro_kubeflow.project.conf import read_parameters, read_section
from kedro_kubeflow.project.opening import OpenProject, last_line, own_line, registered_pipelines
from kedro_kubeflow.project.parameter_paths import by_path
from kedro_kubeflow.project.typed_parameters import with_types
from kedro_kubeflow.runtime.catalog import named_credentials
from kedro_kubeflow.runtime.not_asked import NOT_ASKED
from kedro_kubeflow.runtime.outcome import Outcome
from kedro_kubeflow.runtime.parts_of_hooks import OF_A_RUN, Part, is_marked, plugins
from kedro_kubeflow.runtime.session import TaskProject
from kedro_kubeflow.tracking.fluent import inside

PER_RUN = "per_run"
_SELECTION = {
    "tags": "tags",
    "from_nodes": "from_nodes",
    "to_nodes": "to_nodes",
    "node_names": "nodes",
    "from_inputs": "from_inputs",
    "to_outputs": "to_outputs",
    "namespaces": "namespaces",
}


def tell_begin(project: TaskProject, call: StepCall, run_id: str) -> None:
    """Call the `before_pipeline_run` hooks for the whole run.

    Args:
        run_id: the MLflow run.

    Raises:
        StepError: one of them fails.
    """
    hooks = _hooks()
    with _said("before_pipeline_run"), inside(run_id):
        hooks.before_pipeline_run(run_params=_run_params(project, call), **_whole(project, call, hooks))


def tell_end(project: TaskProject, call: StepCall, outcome: Outcome) -> None:
    """Call the `after_pipeline_run` or `on_pipeline_error` hooks for the whole run.

    Raises:
        StepError: one of them fails.
    """
    hooks, succeeded = _hooks(), outcome.status == "succeeded"
    with _said("after_pipeline_run" if succeeded else "on_pipeline_error"), inside(outcome.mlflow_run_id):
        known = {"run_params": _run_params(project, call), **_whole(project, call, hooks)}
        if succeeded:
            hooks.after_pipeline_run(run_result={}, **known)
            return
        how = "was cancelled" if outcome.status == "cancelled" else "has failed"
        named = ", ".join(outcome.failed_steps)
        error = StepError(": ".join(filter(None, (f"The run {how}", named, outcome.error))))
        hooks.on_pipeline_error(error=error, **known)


@contextmanager
def _said(name: str) -> Iterator[None]:
    try:
        yield
    except KedroKubeflowError:
        raise
    except Exception as error:
        where = ", ".join(filter(None, (name, own_line(error) or last_line(error))))
        raise StepError(f"A hook failed: {described(error)}", where=where, cure="mend the hook") from error


def _hooks() -> Any:
    """The hooks that are called once a run, and what their objects do when a catalog is made.

    What they do when a context is made, this task's session has let them do.
    """
    import pluggy
    from kedro.framework.hooks.markers import HOOK_NAMESPACE
    from kedro.framework.hooks.specs import DataCatalogSpecs, PipelineSpecs
    from kedro.framework.project import settings

    manager = pluggy.PluginManager(HOOK_NAMESPACE)
    manager.add_hookspecs(PipelineSpecs)
    manager.add_hookspecs(DataCatalogSpecs)
    # A session's own watch is none of the project's.
    own = [hooks for hooks in settings.HOOKS if not type(hooks).__module__.startswith("kedro_kubeflow.")]
    for hooks in (*own, *(plugin for found in plugins().values() for plugin in found)):
        if any(is_marked(hooks, name, HOOK_NAMESPACE) for name in OF_A_RUN):
            names = [n for n in (*OF_A_RUN, "after_catalog_created") if is_marked(hooks, n, HOOK_NAMESPACE)]
            manager.register(Part({name: getattr(hooks, name) for name in names}))
    return manager.hook


def _run_params(project: OpenProject, call: StepCall) -> dict[str, Any]:
    """As Kedro gives them, for the pipeline as a whole."""
    import kedro

    return {
        **NOT_ASKED,
        "run_id": os.environ.get(RUN_ID_ENV),
        "project_path": project.path.as_posix(),
        "env": project.env,
        "kedro_version": kedro.__version__,
        "pipeline_names": list(call.pipeline_names),
        "runtime_params": dict(project.runtime_params),
        "runner": "kedro_kubeflow",
        **selected(call),
    }


def selected(call: StepCall) -> dict[str, Any]:
    """What was selected of the pipelines, by the names of Kedro's run parameters, in the types that they have."""
    part = call.settings.get("part", {})
    chosen = {name: part[condition] for name, condition in _SELECTION.items() if part.get(condition)}
    return {name: type(NOT_ASKED[name])(names) for name, names in chosen.items()}


def _whole(project: TaskProject, call: StepCall, hooks: Any) -> dict[str, Any]:
    """The pipeline, and the catalog as far as this pod has the credentials of its entries."""
    from kedro.framework.project import settings

    loader = project.config_loader()
    credentials: Mapping[str, Any] = read_section(loader, "credentials", missing={}) or {}
    entries = read_section(loader, "catalog", missing={}) or {}
    within = {name: entry for name, entry in entries.items() if named_credentials(entry) <= credentials.keys()}
    registered = registered_pipelines(project)
    named = {name: registered[name] for name in call.pipeline_names if name in registered}
    parameters = _parameters(with_types(named, project.given.settled(read_parameters(loader))))
    catalog = settings.DATA_CATALOG_CLASS.from_config(catalog=within, credentials=dict(credentials))
    for name, value in parameters.items():
        catalog[name] = value
    hooks.after_catalog_created(
        catalog=catalog,
        conf_catalog=within,
        conf_creds=dict(credentials),
        parameters=parameters,
        save_version=None,
        load_versions={},
    )
    return {"pipeline": _pipeline(project, call), "catalog": catalog}


def _pipeline(project: OpenProject, call: StepCall) -> Any:
    """What runs: the named pipelines, and of them what was selected."""
    from kedro.pipeline import Pipeline

    registered = registered_pipelines(project)
    nodes = {node for name in call.pipeline_names if name in registered for node in registered[name].nodes}
    part = call.settings.get("part", {})
    asked = {name: part[condition] for name, condition in _SELECTION.items() if part.get(condition)}
    if "namespaces" in asked:
        asked["node_namespaces"] = asked.pop("namespaces")
    return Pipeline(nodes).filter(**asked) if asked else Pipeline(nodes)


def _parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """By the names that nodes use, as Kedro puts them into a catalog."""
    return {"parameters": values, **{f"params:{path}": value for path, (_, value) in by_path(values).items()}}
