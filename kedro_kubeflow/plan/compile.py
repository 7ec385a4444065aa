"""Compile: a Kedro project's pipeline → a compiled KFP pipeline. Offline: no host, no token, no cluster, no image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.compiler import CompiledPipeline, Frame, compile_pipeline
from kedro_kubeflow.compiler.pipeline import run_id_from_label
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.config.selectors import Known
from kedro_kubeflow.config.settings import StepSettings
from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.plan.at_exit import ExitPipeline, exit_nodes, exit_of, notification_secrets
from kedro_kubeflow.plan.dag import Dag, Parameters, build_dag, is_parameter, node_facts
from kedro_kubeflow.plan.grouping import NodeFacts
from kedro_kubeflow.plan.groups import groups_of
from kedro_kubeflow.plan.handoff import Handoff, handoff, plain_filename
from kedro_kubeflow.plan.selection import DEFAULT, Selection, selection
from kedro_kubeflow.plan.slicing import check_inputs, select
from kedro_kubeflow.plan.step_settings import cache_keys, cache_notes, plain_text_notes, settings_of
from kedro_kubeflow.project.conf import read_catalog, read_parameters, unknown_overrides
from kedro_kubeflow.project.mlflow_plugin import is_tracked
from kedro_kubeflow.project.opening import OpenProject, open_project, registered_pipelines
from kedro_kubeflow.project.resolvers import (
    Marked,
    check_given,
    defaults_of,
    kept_in_conf,
    read_marked,
    resolved_entries,
    unmarked,
)
from kedro_kubeflow.project.target import configured
from kedro_kubeflow.request import Request
from kedro_kubeflow.targets.vertexai.adapt import for_vertex


@dataclass(frozen=True, kw_only=True)
class Source:
    """What the project says of what was asked for.

    Attributes:
        registered: every pipeline of the project.
        nodes: what will run, in an order in which it can.
        entries: the catalog entry of each dataset of theirs; None where there is none.
        tracking: whether there is an MLflow run.
        marked: the configuration with marks in place of what resolvers give.
    """

    project: OpenProject
    target: str
    config: KubeflowConfig
    selection: Selection
    registered: Mapping[str, Any]
    nodes: Sequence[NodeFacts]
    entries: Mapping[str, Mapping[str, Any] | None]
    parameters: Parameters
    tracking: bool
    exit_pipeline: ExitPipeline | None = None
    marked: Marked = field(default_factory=Marked)

    @cached_property
    def handoffs(self) -> Mapping[str, Handoff]:
        """How each dataset crosses, those of the exit pipeline too."""
        run, leaving = self.config.run_config, self.exit_pipeline
        volume, stored = run.volume.folder if run.volume else None, run.store_kedro_outputs_as_kfp_artifacts
        entries = {**(leaving.entries if leaving else {}), **self.entries}
        resolved = resolved_entries(self.marked, entries)
        found = {name: handoff(name, entry, volume=volume, stored=stored) for name, entry in entries.items()}
        # A name that a resolver gives belongs to the run: in the artifact the data goes by another.
        return {
            name: replace(handed, filename=plain_filename(name, handed.filename))
            if handed.filename and name in resolved
            else handed
            for name, handed in found.items()
        }


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A compiled pipeline and what it was made from."""

    source: Source
    dag: Dag
    compiled: CompiledPipeline
    settings: Mapping[str, StepSettings]
    """By title: what each step and each of the plugin's own tasks is given, and where each value comes from."""

    @property
    def project(self) -> OpenProject:
        """The project."""
        return self.source.project

    @property
    def config(self) -> KubeflowConfig:
        """Its kubeflow.yml."""
        return self.source.config

    @property
    def target(self) -> str:
        """Where it is to run."""
        return self.source.target

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
    frame = _frame(request, source, dag)
    compiled = compile_pipeline(dag, frame)
    if source.target == "vertexai" and source.config.vertexai:
        compiled = for_vertex(compiled, source.config.vertexai)
    return Prepared(source=source, dag=dag, compiled=compiled, settings=frame.settings)


def read_source(request: Request) -> Source:
    """Open the project and read what is needed of it.

    Raises:
        ProjectError: the project, the pipeline, a node or a parameter is not there.
        ConfigError: kubeflow.yml, the catalog or the parameters are wrong.
    """
    project = open_project(request.path, env=request.env)
    plain = project.config_loader()
    found = configured(plain, request.target, known=lambda: _known(project), either=request.either_target)
    config = found.config
    chosen = selection(request.job, _asked(request), config.jobs, pipelines_asked=bool(request.pipelines))
    registered = registered_pipelines(project)
    nodes = node_facts(select(chosen.pipelines, chosen.part, registered), registered)
    marked = read_marked(project.config_loader({}))
    project = replace(project, runtime_params=chosen.parameters)
    check_given(marked.asked, chosen.parameters)
    loader = project.config_loader()
    values = {**chosen.parameters, **read_parameters(loader)}
    datasets = [d for node in nodes for d in (*node.inputs, *node.outputs) if not is_parameter(d)]
    enabled = config.run_config.mlflow.enabled
    tracking = any(is_tracked(loader, name, enabled=enabled) for name in chosen.pipelines)
    leaving = _exit_pipeline(config, registered, loader, tracking)
    at_exit = leaving.parameters(values) if leaving else frozenset()
    return Source(
        project=project,
        target=found.target,
        config=config,
        selection=chosen,
        registered=registered,
        nodes=nodes,
        entries=read_catalog(loader, datasets),
        parameters=Parameters(
            values=values,
            overridden=frozenset(chosen.parameters),
            shared=frozenset(asked.key for asked in marked.asked.values()),
            at_exit=at_exit,
            resolved=kept_in_conf(marked),
            given=chosen.parameters,
            defaults=defaults_of(marked.asked),
        ),
        marked=marked,
        tracking=tracking,
        exit_pipeline=leaving,
    )


def _known(project: OpenProject) -> Known:
    return Known.of(node for p in registered_pipelines(project).values() for node in p.nodes)


def _exit_pipeline(
    config: KubeflowConfig, registered: Mapping[str, Any], loader: Any, tracking: bool
) -> ExitPipeline | None:
    name = config.run_config.on_exit_pipeline
    if not name:
        return None
    found = ExitPipeline(name=name, nodes=exit_nodes(name, registered))
    tracked = tracking and is_tracked(loader, name, enabled=config.run_config.mlflow.enabled)
    return replace(found, entries=read_catalog(loader, found.datasets), tracked=tracked)


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


def _frame(request: Request, source: Source, dag: Dag) -> Frame:
    frame, run, values = _plain_frame(request, source, dag), source.config.run_config, source.parameters.values
    settings = settings_of(
        run,
        dag,
        source.registered,
        image=request.image,
        leaving=frame.exit,
        exit_task=frame.exit_task,
        exit_env=notification_secrets(run.notifications),
        handoffs=source.handoffs,
    )
    unknown = unknown_overrides(
        source.selection.parameters, source.marked.sections.get("parameters") or {}, source.marked.asked
    )
    notes = (*unknown, *cache_notes(dag, settings), *plain_text_notes(settings))
    # What is worked out in the pod has no value here that a result could depend on.
    known = {**values, **{k: unmarked(source.marked.sections["parameters"][k]) for k in source.parameters.resolved}}
    return replace(frame, settings=settings, cache_keys=cache_keys(dag, settings, known), notes=notes)


def _plain_frame(request: Request, source: Source, dag: Dag) -> Frame:
    project, config, chosen, run = source.project, source.config, source.selection, source.config.run_config
    shown = project.name if chosen.title == DEFAULT else f"{project.name}: {chosen.title}"
    image = _image(request, config)
    values = source.parameters.values
    return Frame(
        name=names.pipeline_name(project.name, chosen.name),
        display_name=f"{shown} ({chosen.cut})" if chosen.cut else shown,
        description=chosen.description or run.description or "",
        image=image,
        tracking=source.tracking,
        close_run=run.mlflow.close_run,
        call=common_call(source),
        start_settings=_start_settings(config, shown, image) if source.tracking else {},
        step_settings={"memory_dataset": dict(run.memory_dataset), **_runner_settings(source)},
        platform={"fieldPathAsEnv": [run_id_from_label()]} if source.tracking else {},
        exit=exit_of(config, source.exit_pipeline, dag, source.handoffs, values, source.registered),
        volume=run.volume,
        ttl=run.ttl,
        deadline=run.deadline,
        tags=_tags(source),
    )


def common_call(source: Source) -> StepCall:
    """What every call has in common."""
    several = source.selection.pipelines if len(source.selection.pipelines) > 1 else ()
    providers = [p.model_dump() for p in source.config.run_config.dynamic_config_providers]
    return StepCall(
        action="run",
        step="",
        pipeline=source.selection.pipeline,
        pipelines=several,
        env=source.project.said_env,
        package=source.project.package if source.config.run_config.packaged else None,
        conf_source=source.config.run_config.conf_source,
        settings={"dynamic_config": providers} if providers else {},
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
    run = config.run_config
    image = request.image or run.images.get(DEFAULT) or run.image or request.default_image
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
    return settings | ({"ui_host": config.shown_at} if config.shown_at else {})


def _tags(source: Source) -> dict[str, str]:
    chosen = source.selection
    tags = {"project": source.project.name, "pipeline": chosen.pipeline, "env": source.project.env or "default"}
    return tags | ({"job": chosen.job} if chosen.job else {}) | ({"slice": str(chosen.part)} if chosen.part else {})
