"""The public Python API: what notebooks and scripts may rely on from one version to the next.

Both functions do what the command of the same purpose does, ``kedro kubeflow compile`` and ``kedro kubeflow run-once
--local``, and give a value in place of printing. They open the Kedro project in the calling process, so a process is best
kept to one project.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kedro_kubeflow.compiler import CompiledPipeline
from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.notebook import PipelineRun
from kedro_kubeflow.notebook import find_run as run
from kedro_kubeflow.request import Request
from kedro_kubeflow.targets.base.prepare import prepare
from kedro_kubeflow.targets.local.adapter import Runner
from kedro_kubeflow.targets.local.operations import run_local
from kedro_kubeflow.targets.local.run import LocalRun, StepProgress

__all__ = [
    "CompiledPipeline",
    "KedroKubeflowError",
    "LocalRun",
    "PipelineRun",
    "StepProgress",
    "compile_project",
    "run",
    "run_here",
]


def compile_project(
    path: Path | str | None = None,
    *,
    pipeline: str | Sequence[str] = (),
    job: str | None = None,
    image: str | None = None,
    env: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    target: str | None = None,
) -> CompiledPipeline:
    """Compile a project's pipeline. Needs no network, no token, no cluster and no image.

    Args:
        path: a folder in the Kedro project; the working directory where it is not given.
        pipeline: a registered pipeline, or several to be run as one; ``__default__`` where none is given.
        job: one of ``jobs`` in kubeflow.yml; what is given here goes before what it says.
        image: the image of every step, in place of ``run_config.image``.
        env: the configuration environment; ``KEDRO_ENV`` or Kedro's default where it is not given.
        parameters: other values of Kedro parameters, nested as in parameters.yml.
        target: ``kubeflow`` or ``vertexai``; the one that is configured where it is not given.

    Returns:
        The compiled pipeline; ``str()`` of it is the YAML that Kubeflow Pipelines reads.

    Raises:
        ProjectError: the project, the pipeline or a parameter is not there.
        ConfigError: kubeflow.yml, the catalog or the parameters are wrong.
        CompileError: the pipeline cannot become a KFP pipeline.
    """
    return prepare(replace(_request(path, pipeline, job, image, env, parameters), target=target)).compiled


def run_here(
    path: Path | str | None = None,
    *,
    pipeline: str | Sequence[str] = (),
    job: str | None = None,
    image: str | None = None,
    env: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    runner: Runner = "subprocess",
    isolated: bool = False,
    on_change: Callable[[LocalRun], None] = lambda _: None,
) -> LocalRun:
    """Compile a project's pipeline and run it on this machine; returns when it has ended, however it ended.

    Args:
        path: as for `compile_project`, like every argument that is not described here.
        runner: ``subprocess`` runs each step as a process of this interpreter, ``docker`` in its image.
        isolated: whether processes share nothing, as pods do: each works in a copy of what an image would hold.
        on_change: is called with the run whenever a step starts or ends.

    Returns:
        The run with its ``state`` (``succeeded``, ``failed`` or ``interrupted``), and of each step its state, its time,
        its log and where its outputs lie.

    Raises:
        ProjectError, ConfigError, CompileError: as `compile_project`.
        TrackingError: the MLflow server does not answer.
    """
    # Processes run in no image, so none need be configured for them.
    default_image = "local" if runner == "subprocess" else None
    request = _request(path, pipeline, job, image, env, parameters, default_image)
    prepared = prepare(replace(request, either_target=True))
    return run_local(prepared, runner=runner, isolated=isolated, on_change=on_change)


def _request(
    path: Path | str | None,
    pipeline: str | Sequence[str],
    job: str | None,
    image: str | None,
    env: str | None,
    parameters: Mapping[str, Any] | None,
    default_image: str | None = None,
) -> Request:
    return Request(
        path=Path(path) if path is not None else None,
        pipelines=(pipeline,) if isinstance(pipeline, str) else tuple(pipeline),
        job=job,
        image=image,
        env=env,
        parameters=dict(parameters or {}),
        default_image=default_image,
    )
