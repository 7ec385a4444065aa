"""Whether a pipeline's steps share one MLflow run."""

from __future__ import annotations

from kedro_kubeflow.errors import DependencyError
from kedro_kubeflow.project.mlflow_plugin import MlflowPlugin


def is_tracked(plugin: MlflowPlugin, pipeline: str, *, enabled: bool | str = "auto") -> bool:
    """Decide for one registered pipeline.

    Args:
        enabled: ``run_config.mlflow.enabled`` of kubeflow.yml.

    Raises:
        DependencyError: tracking is asked for, and MLflow is not installed.
    """
    if enabled is False:
        return False
    if plugin.installed:
        return pipeline not in plugin.disabled
    if enabled is True and not plugin.importable:
        raise DependencyError(
            "run_config.mlflow.enabled is true, and MLflow is not installed",
            where="kubeflow.yml, run_config.mlflow.enabled",
            cure="pip install 'kedro-kubeflow[mlflow]'",
        )
    return enabled is True
