"""Compile: a Kedro project's pipeline → a compiled KFP pipeline. Offline: no host, no token, no cluster, no image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.app.groups import groups_of
from kedro_kubeflow.app.selection import DEFAULT, Selection, selection
from kedro_kubeflow.compiler import CompiledPipeline, Frame, compile_pipeline
from kedro_kubeflow.compiler.pipeline import run_id_from_label
from kedro_kubeflow.config.kubeflow import KubeflowConfig, read_config
from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.dag import Dag, Parameters, build_dag, is_parameter, node_facts
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.grouping import NodeFacts
from kedro_kubeflow.handoff import Handoff, handoff
from kedro_kubeflow.project.conf import check_overrides, read_catalog, read_kubeflow, read_parameters
from kedro_kubeflow.project.mlflow_plugin import is_tracked
from kedro_kubeflow.project.opening import OpenProject, open_project, registered_pipelines
from kedro_kubeflow.project.slicing import Slice, check_inputs, select


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to compile.

    Attributes:
        path: a folder in the project; the working directory where it is None.
        env: the configuration environment.
        pipelines: registered names, whose union is meant; empty leaves it to the job, or is ``__default__``.
        part: what of it.
        job: the name of one of ``jobs`` in kubeflow.yml; what is asked for here goes before what it says.
        image: in place of ``run_config.image``.
        parameters: overrides, nested as in parameters.yml.
        default_image: what stands in the spec where no image is configured; None makes that an error.
    """

    path: Path | None = None
    env: str | None = None
    pipelines: tuple[str, ...] = ()
    part: Slice = field(default_factory=Slice)
    job: str | None = None
    image: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    default_image: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the project says of what was asked for.

    Attributes:
        registered: every pipeline of the project.
        nodes: what will run, in an order in which it can.
        entries: the catalog entry of each dataset of theirs; None where there is none.
        tracking: whether there is an MLflow run.
    """

    project: OpenProject
    config: KubeflowConfig
    selection: Selection
    registered: Mapping[str, Any]
    nodes: Sequence[NodeFacts]
    entries: Mapping[str, Mapping[str, Any] | None]
    parameters: Parameters
    tracking: bool

    @cached_property
    def handoffs(self) -> Mapping[str, Handoff]:
        """How each dataset crosses."""
        return {name: handoff(name, entry) for name, entry in self.entries.items()}


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A compiled pipeline and what it was made from."""

    source: Source
    dag: Dag
    compiled: CompiledPipeline

    @property
    def project(self) -> OpenProject:
        """The project."""
        return self.source.project

    @property
    def config(self) -> KubeflowConfig:
        """Its kubeflow.yml."""
        return self.source.config

    @property
    def tracking(self) -> bool:
        """Whether there is an MLflow run."""
        return self.source.tracking

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The Kedro parameters, overrides merged in: what a run's name may be made of."""
        return self.source.parameters.values


def prepare(request: Request) -> Prepared:
    """Open the project, read its configuration, compile.

    Raises:
        ProjectError: the project, the pipeline, a node or a parameter is not there.
        ConfigError: kubeflow.yml, the catalog or the parameters are wrong.
        CompileError: the pipeline cannot become a KFP pipeline.
    """
    return prepare_source(request, read_source(request))


def prepare_source(request: Request, source: Source) -> Prepared:
    """Compile what was read.

    Raises:
        ConfigError: settings of kubeflow.yml contradict each other or the project.
        CompileError: the pipeline cannot become a KFP pipeline.
    """
    dag = dag_of(source)
    return Prepared(source=source, dag=dag, compiled=compile_pipeline(dag, _frame(request, source)))


def read_source(request: Request) -> Source:
    """Open the project and read what is needed of it.

    Raises:
        ProjectError: the project, the pipeline, a node or a parameter is not there.
        ConfigError: kubeflow.yml, the catalog or the parameters are wrong.
    """
    project = open_project(request.path, env=request.env)
    plain = project.config_loader()
    config = read_config(read_kubeflow(plain))
    chosen = selection(request.job, _asked(request), config.jobs, pipelines_asked=bool(request.pipelines))
    registered = registered_pipelines(project)
    nodes = node_facts(select(chosen.pipelines, chosen.part, registered), registered)
    shared = check_overrides(chosen.parameters, read_parameters(plain), project.conf_source)
    loader = project.config_loader(chosen.parameters) if chosen.parameters else plain
    values = {**chosen.parameters, **read_parameters(loader)}
    datasets = [d for node in nodes for d in (*node.inputs, *node.outputs) if not is_parameter(d)]
    enabled = config.run_config.mlflow.enabled
    return Source(
        project=project,
        config=config,
        selection=chosen,
        registered=registered,
        nodes=nodes,
        entries=read_catalog(loader, datasets),
        parameters=Parameters(values=values, overridden=frozenset(chosen.parameters), shared=shared),
        tracking=any(is_tracked(loader, name, enabled=enabled) for name in chosen.pipelines),
    )


def dag_of(source: Source) -> Dag:
    """Put the nodes into steps.

    Raises:
        CompileError: they cannot be.
    """
    check_inputs(source.nodes, source.entries, source.registered)
    groups = groups_of(source.config.run_config.grouping, source.nodes, source.handoffs, source.registered)
    return build_dag(source.selection.pipeline, source.nodes, groups, source.handoffs, source.parameters)


def _asked(request: Request) -> Selection:
    return Selection(
        pipelines=tuple(dict.fromkeys(request.pipelines)) or (DEFAULT,),
        part=request.part,
        parameters=request.parameters,
    )


def _frame(request: Request, source: Source) -> Frame:
    project, config, chosen, run = source.project, source.config, source.selection, source.config.run_config
    shown = project.name if chosen.name == DEFAULT else f"{project.name}: {chosen.name}"
    image = _image(request, config)
    return Frame(
        name=names.pipeline_name(project.name, chosen.name),
        display_name=shown,
        description=chosen.description or run.description or "",
        image=image,
        tracking=source.tracking,
        close_run=run.mlflow.close_run,
        call=_call(source),
        start_settings=_start_settings(config, shown, image) if source.tracking else {},
        step_settings={"memory_dataset": dict(run.memory_dataset), **_runner_settings(source)},
        platform=_platform(config, source.tracking),
        tags=_tags(source),
    )


def _call(source: Source) -> StepCall:
    """What every call has in common."""
    several = source.selection.pipelines if len(source.selection.pipelines) > 1 else ()
    return StepCall(
        action="run", step="", pipeline=source.selection.pipeline, pipelines=several, env=source.project.env
    )


def _runner_settings(source: Source) -> dict[str, Any]:
    """Which of Kedro's runners runs the nodes of a step.

    Raises:
        ConfigError: the one that is chosen cannot work together with MLflow.
    """
    grouping = source.config.run_config.grouping
    if grouping.runner == "sequential":
        return {}
    if grouping.runner == "parallel" and source.tracking:
        raise ConfigError(
            "The parallel runner cannot log to the step's MLflow run: its processes start without it",
            where="kubeflow.yml, run_config.grouping.runner",
            cure="choose `thread`, or switch tracking off for this pipeline (mlflow.yml, tracking.disable_tracking)",
        )
    workers = {"max_workers": grouping.max_workers} if grouping.max_workers else {}
    return {"runner": grouping.runner, **workers}


def _image(request: Request, config: KubeflowConfig) -> str:
    image = request.image or config.run_config.image or request.default_image
    if not image:
        raise ConfigError(
            "No image is configured",
            where="kubeflow.yml, run_config.image",
            cure="set it there, or give it with -i/--image",
        )
    return image


def _start_settings(config: KubeflowConfig, shown: str, image: str) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "experiment": config.run_config.experiment_name or shown,
        "image": image,
        "kfp_native": config.run_config.mlflow.kfp_native,
    }
    return settings | ({"ui_host": config.host} if config.host else {})


def _platform(config: KubeflowConfig, tracking: bool) -> dict[str, Any]:
    platform: dict[str, Any] = {"imagePullPolicy": config.run_config.image_pull_policy.get(DEFAULT) or "IfNotPresent"}
    return platform | ({"fieldPathAsEnv": [run_id_from_label()]} if tracking else {})


def _tags(source: Source) -> dict[str, str]:
    chosen = source.selection
    tags = {"project": source.project.name, "pipeline": chosen.pipeline, "env": source.project.env or "default"}
    return tags | ({"job": chosen.job} if chosen.job else {}) | ({"slice": str(chosen.part)} if chosen.part else {})
