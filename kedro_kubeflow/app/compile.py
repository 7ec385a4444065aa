"""Compile: a Kedro project's pipeline → a compiled KFP pipeline. Offline: no host, no token, no cluster, no image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.compiler import CompiledPipeline, Frame, compile_pipeline
from kedro_kubeflow.compiler.pipeline import run_id_from_label
from kedro_kubeflow.config.kubeflow import KubeflowConfig, read_config
from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.dag import Dag, Parameters, build_dag, is_parameter, node_facts
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.grouping import by_node
from kedro_kubeflow.handoff import handoff
from kedro_kubeflow.project.conf import check_overrides, read_catalog, read_kubeflow, read_parameters
from kedro_kubeflow.project.mlflow_plugin import is_tracked
from kedro_kubeflow.project.opening import OpenProject, find_pipeline, open_project, registered_pipelines


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to compile.

    Attributes:
        path: a folder in the project; the working directory where it is None.
        env: the configuration environment.
        pipeline: the registered pipeline's name.
        image: in place of ``run_config.image``.
        parameters: overrides, nested as in parameters.yml.
        default_image: what stands in the spec where no image is configured; None makes that an error.
    """

    path: Path | None = None
    env: str | None = None
    pipeline: str = "__default__"
    image: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    default_image: str | None = None


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A compiled pipeline and what it was made from."""

    project: OpenProject
    config: KubeflowConfig
    dag: Dag
    compiled: CompiledPipeline
    tracking: bool
    parameters: Mapping[str, Any]
    """The Kedro parameters, overrides merged in: what a run's name may be made of."""


def prepare(request: Request) -> Prepared:
    """Open the project, read its configuration, compile.

    Raises:
        ProjectError: the project, the pipeline or a parameter is not there.
        ConfigError: kubeflow.yml, the catalog or the parameters are wrong.
        CompileError: the pipeline cannot become a KFP pipeline.
    """
    project = open_project(request.path, env=request.env)
    plain = project.config_loader()
    config = read_config(read_kubeflow(plain))
    registered = registered_pipelines(project)
    pipeline = find_pipeline(request.pipeline, registered)
    shared = check_overrides(request.parameters, read_parameters(plain), project.conf_source)
    loader = project.config_loader(request.parameters) if request.parameters else plain
    values = {**request.parameters, **read_parameters(loader)}
    facts = node_facts(pipeline, registered)
    datasets = [d for node in facts for d in (*node.inputs, *node.outputs) if not is_parameter(d)]
    dag = build_dag(
        request.pipeline,
        facts,
        by_node(facts),
        {name: handoff(name, entry) for name, entry in read_catalog(loader, datasets).items()},
        Parameters(values=values, overridden=frozenset(request.parameters), shared=shared),
    )
    tracking = is_tracked(loader, request.pipeline, enabled=config.run_config.mlflow.enabled)
    compiled = compile_pipeline(dag, _frame(request, project, config, tracking))
    return Prepared(project=project, config=config, dag=dag, compiled=compiled, tracking=tracking, parameters=values)


def _frame(request: Request, project: OpenProject, config: KubeflowConfig, tracking: bool) -> Frame:
    run = config.run_config
    shown = project.name if request.pipeline == "__default__" else f"{project.name}: {request.pipeline}"
    return Frame(
        name=names.pipeline_name(project.name, request.pipeline),
        display_name=shown,
        description=run.description or "",
        image=_image(request, config),
        tracking=tracking,
        close_run=run.mlflow.close_run,
        call=StepCall(action="run", step="", pipeline=request.pipeline, env=project.env),
        start_settings=_start_settings(config, shown, _image(request, config)) if tracking else {},
        step_settings={"memory_dataset": dict(run.memory_dataset)},
        platform=_platform(config, tracking),
        tags=_tags(request, project),
    )


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
    platform: dict[str, Any] = {"imagePullPolicy": config.run_config.image_pull_policy}
    return platform | ({"fieldPathAsEnv": [run_id_from_label()]} if tracking else {})


def _tags(request: Request, project: OpenProject) -> dict[str, str]:
    return {"project": project.name, "pipeline": request.pipeline, "env": project.env or "default"}
