"""Where a run's artifacts lie, as its steps say it in MLflow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.experiment import every_experiment
from kedro_kubeflow.tracking.lookup import find_runs

if TYPE_CHECKING:
    from mlflow import MlflowClient


def artifact_uris(mlflow: MlflowClient, run_id: str, datasets: Iterable[str]) -> dict[str, str]:
    """Dataset → URI; those that no step has told of are left out.

    Args:
        run_id: the pipeline run's, as its target calls it.
    """
    found = find_runs(mlflow, every_experiment(mlflow), {tags.RUN_ID: run_id})
    known = found[0].data.tags if found else {}
    keys = {dataset: tags.artifact_key(dataset) for dataset in datasets}
    return {dataset: known[key] for dataset, key in keys.items() if key in known}
