"""The project's hooks that hear of a whole run: in every step, or once a run.

``run_config.hooks: per_run`` keeps `before_pipeline_run`, `after_pipeline_run` and `on_pipeline_error` of the project's own hooks
(``settings.HOOKS``) out of the steps: the start task calls the first, the exit task one of the others.
https://docs.kedro.org/en/stable/extend/hooks/introduction/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.errors import StepError
from kedro_kubeflow.project.conf import read_section
from kedro_kubeflow.project.opening import OpenProject, registered_pipelines
from kedro_kubeflow.runtime.catalog import named_credentials
from kedro_kubeflow.runtime.outcome import Outcome
from kedro_kubeflow.runtime.parts_of_hooks import OF_A_RUN, Part, is_marked

PER_RUN = "per_run"


def tell_begin(project: OpenProject, call: StepCall) -> None:
    """Call the project's `before_pipeline_run` hooks for the whole run."""
    _hooks().before_pipeline_run(run_params=_run_params(project, call), **_whole(project, call))


def tell_end(project: OpenProject, call: StepCall, outcome: Outcome) -> None:
    """Call the project's `after_pipeline_run` or `on_pipeline_error` hooks for the whole run."""
    known = {"run_params": _run_params(project, call), **_whole(project, call)}
    if outcome.status == "succeeded":
        _hooks().after_pipeline_run(run_result={}, **known)
        return
    named = f": {', '.join(outcome.failed_steps)}" if outcome.failed_steps else ""
    error = StepError(f"The run {'was cancelled' if outcome.status == 'cancelled' else 'has failed'}{named}")
    _hooks().on_pipeline_error(error=error, **known)


def _hooks() -> Any:
    """The project's own hooks that are called once a run."""
    import pluggy
    from kedro.framework.hooks.markers import HOOK_NAMESPACE
    from kedro.framework.hooks.specs import PipelineSpecs
    from kedro.framework.project import settings

    manager = pluggy.PluginManager(HOOK_NAMESPACE)
    manager.add_hookspecs(PipelineSpecs)
    for hooks in settings.HOOKS:
        found = {n: getattr(hooks, n) for n in OF_A_RUN if is_marked(hooks, n, HOOK_NAMESPACE)}
        # A session's own watch is none of the project's.
        if found and not type(hooks).__module__.startswith("kedro_kubeflow."):
            manager.register(Part(found))
    return manager.hook


def _run_params(project: OpenProject, call: StepCall) -> dict[str, Any]:
    """As Kedro gives them, for the pipeline as a whole."""
    nothing = (
        "tags",
        "from_nodes",
        "to_nodes",
        "node_names",
        "from_inputs",
        "to_outputs",
        "load_versions",
        "namespaces",
    )
    return {
        "project_path": project.path.as_posix(),
        "env": project.env,
        "pipeline_names": list(call.pipeline_names),
        "runtime_params": dict(project.runtime_params),
        **dict.fromkeys(nothing),
    }


def _whole(project: OpenProject, call: StepCall) -> dict[str, Any]:
    """The pipeline, and the catalog as far as this pod has the credentials of its entries."""
    from kedro.framework.project import settings
    from kedro.pipeline import Pipeline

    loader = project.config_loader()
    credentials: Mapping[str, Any] = read_section(loader, "credentials", missing={}) or {}
    entries = read_section(loader, "catalog", missing={}) or {}
    within = {name: entry for name, entry in entries.items() if named_credentials(entry) <= credentials.keys()}
    registered = registered_pipelines(project)
    nodes = {node for name in call.pipeline_names if name in registered for node in registered[name].nodes}
    catalog = settings.DATA_CATALOG_CLASS.from_config(catalog=within, credentials=dict(credentials))
    return {"pipeline": Pipeline(nodes), "catalog": catalog}
