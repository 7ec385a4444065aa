"""A Kedro project as plain facts: all that is read of it before anything is decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from kedro_kubeflow.config.jobs import JobConfig, find_job, over
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.config.selectors import Known
from kedro_kubeflow.parameters import ABSENT, same
from kedro_kubeflow.project.catalog import CatalogEntries, read_catalog
from kedro_kubeflow.project.conf import LEFT_TO_THE_RUN, read_parameters
from kedro_kubeflow.project.imports import ImportFailure, import_failures
from kedro_kubeflow.project.known_parameters import with_marks
from kedro_kubeflow.project.mlflow_plugin import MlflowPlugin, read_plugin
from kedro_kubeflow.project.node_times import Timed, read_node_times
from kedro_kubeflow.project.opening import OpenProject, open_project, printing_aside, registered_pipelines
from kedro_kubeflow.project.own_hooks import may_read_parameters
from kedro_kubeflow.project.parameter_paths import by_path
from kedro_kubeflow.project.resolvers import Marked, check_given, defaults_of, kept_in_conf, read_marked
from kedro_kubeflow.project.target import configured
from kedro_kubeflow.request import Request


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The project's parameters.

    Attributes:
        values: top-level name → value, overrides merged in.
        overridden: the top-level names that the caller gave values for.
        shared: top-level names that every task is given, as the configuration itself refers to them; of those that the caller
            gave all, where code beside the nodes may read them.
        resolved: top-level name → the resolvers that a part of its value comes from, such as the day's date: it is worked out
            in the pod.
        given: what the caller gave, nested, as it was given: interpolations are not worked out.
        in_image: what the configuration that images hold says by itself, with marks; None where that is ``values``.
        referred: top-level name → the others that its text refers to, be it by way of further ones.
        known: ``values`` with marks in place of what resolvers give.
        defaults: for names among ``shared`` that are no parameters: what the configuration takes where they are not given. One
            that is not here has several defaults, or one that cannot travel.
        local: top-level names whose value comes from conf/local, which images do not hold as a rule → what it is if nothing is
            given, with marks.
        models: the values that nodes are given as models, as their types say.
    """

    values: Mapping[str, Any]
    overridden: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()
    resolved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    local: Mapping[str, Any] = field(default_factory=dict)
    in_image: Mapping[str, Any] | None = None
    known: Mapping[str, Any] = field(default_factory=dict)
    referred: Mapping[str, frozenset[str]] = field(default_factory=dict)
    models: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def by_path(self) -> Mapping[str, tuple[Any, Any]]:
        """Each name by which a node may ask for a parameter → its top-level key, and the value."""
        return by_path({**self.values, **self.models})


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a project says of itself.

    Attributes:
        target: where it is to run: what was asked for, or what is configured.
        pipelines: every registered pipeline, by name; Kedro's own.
        catalog: the entry of a dataset, by the name by which a node uses it. Entries are resolved as they are looked up.
        marked: the configuration with marks in place of what resolvers give.
        image: the same, as images hold it: without conf/local.
        node_times: how long nodes took, as far as runs have timed them; as read here, runs on this machine.
        mlflow: whether kedro-mlflow is there, and what it leaves out.
        import_failures: modules of pipelines that Kedro has left out, as they do not import.
        notes: what was to be known and is not, a sentence each.
    """

    project: OpenProject
    target: str = "kubeflow"
    pipelines: Mapping[str, Any]
    catalog: CatalogEntries
    parameters: Parameters
    marked: Marked = field(default_factory=Marked)
    image: Marked = field(default_factory=Marked)
    mlflow: MlflowPlugin = field(default_factory=MlflowPlugin)
    node_times: Mapping[str, Timed] = field(default_factory=dict)
    import_failures: tuple[ImportFailure, ...] = ()
    notes: tuple[str, ...] = ()


def read_project(request: Request) -> tuple[Facts, KubeflowConfig]:
    """Open the project and read what is needed of it.

    Raises:
        ProjectError: the project is not there, or does not import.
        ConfigError: kubeflow.yml, the catalog or the parameters are wrong, or there is no such job.
    """
    with printing_aside():
        return _read(request)


def _read(request: Request) -> tuple[Facts, KubeflowConfig]:
    project = open_project(request.path, env=request.env)
    found = configured(
        project.config_loader(), request.target, known=lambda: _known(project), either=request.either_target
    )
    given = _given(request, found.config.jobs)
    pipelines = registered_pipelines(project)
    marked = read_marked(project.config_loader({}))
    project = replace(project, runtime_params=given)
    check_given(marked.asked, given)
    image = _in_image(project, marked)
    loader = project.config_loader()
    facts = Facts(
        project=project,
        target=found.target,
        pipelines=pipelines,
        catalog=read_catalog(loader),
        parameters=_parameters(project, marked, image, read_parameters(loader)),
        marked=marked,
        image=image,
        mlflow=read_plugin(loader, enabled=found.config.run_config.mlflow.enabled),
        import_failures=import_failures(),
        node_times=read_node_times(project.path, {node.name for p in pipelines.values() for node in p.nodes}),
        notes=tuple(dict.fromkeys(getattr(loader, LEFT_TO_THE_RUN, None) or ())),
    )
    return facts, found.config


def _read_elsewhere(given: Collection[str]) -> set[str]:
    """The parameters that hooks may read and that have a new value.

    Not all there are: each would take up some 340 bytes of Argo's Workflow in each task.
    """
    return set(given) if may_read_parameters() else set()


def _parameters(project: OpenProject, marked: Marked, image: Marked, values: Mapping[str, Any]) -> Parameters:
    """The parameters of a project that has been given some.

    Args:
        marked: the configuration without them.
        image: the same, as images hold it.
        values: as Kedro reads them.
    """
    given = project.runtime_params
    # What is given may hold resolvers too, and what holds one may be given another value.
    now = read_marked(project.config_loader()) if given else marked
    kept = kept_in_conf(now)
    resolved = {k: names for k, names in {**kept_in_conf(marked), **kept}.items() if k not in given or k in kept}
    # The order of keys counts where two hold what one name of a node's stands for.
    values = {**values, **{key: value for key, value in given.items() if key not in values}}
    in_image, own = image.sections.get("parameters") or {}, marked.sections.get("parameters") or {}
    return Parameters(
        values=values,
        overridden=frozenset(given),
        shared=frozenset({asked.key for asked in marked.asked.values()} | _read_elsewhere(project.runtime_params)),
        resolved=resolved,
        given=given,
        defaults=defaults_of(marked.asked),
        in_image=in_image,
        referred=now.referred,
        known=with_marks(now, values),
        local={key: value for key, value in own.items() if not same(value, in_image.get(key, ABSENT))},
    )


def _in_image(project: OpenProject, marked: Marked) -> Marked:
    """The configuration without what only this person's conf/local has."""
    base = project.base
    if base is None or not any(Path(project.conf_source, "local").rglob("*.[yj]*")):
        return marked
    return read_marked(base.config_loader({}))


def _given(request: Request, jobs: Mapping[str, JobConfig]) -> dict[str, Any]:
    """The parameters that the caller gives, over those of the job."""
    return over(find_job(request.job, jobs).parameters if request.job else {}, request.parameters)


def _known(project: OpenProject) -> Known:
    return Known.of(node for p in registered_pipelines(project).values() for node in p.nodes)
