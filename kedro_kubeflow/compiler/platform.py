"""KFP's platform spec: what is asked of Kubernetes for each task, and for the run as a whole.

kubeflow/pipelines ``api/v2alpha1/pipeline_spec.proto``, ``PlatformSpec`` and ``PipelineConfig``.
"""

from __future__ import annotations

from typing import Any

from kedro_kubeflow.compiler.kubernetes import executor_config
from kedro_kubeflow.config.volume import VolumeConfig
from kedro_kubeflow.plan import Plan


def platform_spec(plan: Plan) -> dict[str, Any]:
    """The whole platform spec; empty where nothing is asked."""
    executors = {f"exec-{task.name}": config for task in plan.tasks if (config := executor_config(task))}
    kubernetes: dict[str, Any] = {"deploymentSpec": {"executors": executors}} if executors else {}
    config = pipeline_config(plan)
    kubernetes |= {"pipelineConfig": config} if config else {}
    return {"platforms": {"kubernetes": kubernetes}} if kubernetes else {}


def pipeline_config(plan: Plan) -> dict[str, Any]:
    """What holds for the run as a whole."""
    config: dict[str, Any] = {
        "resourceTtlOnCompletion": plan.ttl.completion,
        "resourceTtlOnSuccess": plan.ttl.success,
        "resourceTtlOnFailure": plan.ttl.failure,
        "activeDeadlineSeconds": plan.deadline,
    }
    if plan.volume and not plan.volume.keep:
        config["workspace"] = workspace_config(plan.volume)
    return {key: value for key, value in config.items() if value}


def workspace_config(volume: VolumeConfig) -> dict[str, Any]:
    """KFP's ``WorkspaceConfig``."""
    patch: dict[str, Any] = {"accessModes": list(volume.access_modes)}
    if volume.storageclass:
        patch["storageClassName"] = volume.storageclass
    return {"size": volume.size, "kubernetes": {"pvcSpecPatch": patch}}
