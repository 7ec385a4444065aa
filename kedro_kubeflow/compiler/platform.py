"""KFP's platform spec: what is asked of Kubernetes for each task, and for the run as a whole.

kubeflow/pipelines ``api/v2alpha1/pipeline_spec.proto``, ``PlatformSpec`` and ``PipelineConfig``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kedro_kubeflow.contract import RUN_ID_ENV
from kedro_kubeflow.plan.frame import Frame
from kedro_kubeflow.plan.task import Task
from kedro_kubeflow.plan.volume import workspace_config


def platform_spec(tasks: Sequence[Task], frame: Frame) -> dict[str, Any]:
    """The whole platform spec; empty where nothing is asked."""
    executors = {f"exec-{task.name}": dict(task.platform) for task in tasks if task.platform}
    kubernetes: dict[str, Any] = {"deploymentSpec": {"executors": executors}} if executors else {}
    config = pipeline_config(frame)
    kubernetes |= {"pipelineConfig": config} if config else {}
    return {"platforms": {"kubernetes": kubernetes}} if kubernetes else {}


def pipeline_config(frame: Frame) -> dict[str, Any]:
    """What holds for the run as a whole."""
    config: dict[str, Any] = {
        "resourceTtlOnCompletion": frame.ttl.completion,
        "resourceTtlOnSuccess": frame.ttl.success,
        "resourceTtlOnFailure": frame.ttl.failure,
        "activeDeadlineSeconds": frame.deadline,
    }
    if frame.volume and not frame.volume.keep:
        config["workspace"] = workspace_config(frame.volume)
    return {key: value for key, value in config.items() if value}


def run_id_from_label() -> dict[str, str]:
    """The run's id as an environment variable of the pod, from the label that KFP's server sets."""
    return {"name": RUN_ID_ENV, "fieldPath": "metadata.labels['pipeline/runid']"}
