"""The MLflow experiment that holds a pipeline's runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient


def experiment(mlflow: MlflowClient, name: str) -> str:
    """The id of an experiment; made if it is missing, restored if it was deleted, as kedro-mlflow does."""
    from mlflow.exceptions import MlflowException

    found: Any = mlflow.get_experiment_by_name(name)
    if found is None:
        try:
            return str(mlflow.create_experiment(name))
        except MlflowException:
            # Another process made it in between; if it is still not there, that error is the one to show.
            found = mlflow.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        mlflow.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def every_experiment(mlflow: MlflowClient) -> list[str]:
    """The ids of all experiments that are not deleted."""
    ids: list[str] = []
    token: str | None = None
    while True:
        page = mlflow.search_experiments(max_results=1000, page_token=token)
        ids += [str(found.experiment_id) for found in page]
        token = page.token
        if not token:
            return ids
