"""Find the MLflow run of a pipeline run by its tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.experiment import every_experiment

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_EXPERIMENTS_AT_ONCE = 100


def find_runs(mlflow: MlflowClient, experiment_ids: Sequence[str], correlation: Mapping[str, str]) -> list[Run]:
    """The runs that carry the first correlation tag: the one that was chosen first, then the earliest."""
    key, value = next(iter(correlation.items()))
    quoted = value.replace("'", "")
    found: list[Run] = []
    for start in range(0, len(experiment_ids), _EXPERIMENTS_AT_ONCE):
        some = list(experiment_ids[start : start + _EXPERIMENTS_AT_ONCE])
        found += mlflow.search_runs(some, filter_string=f"tags.`{key}` = '{quoted}'", max_results=100)
    return sorted(found, key=lambda run: (not is_chosen(run), run.info.start_time, run.info.run_id))


def find_anywhere(mlflow: MlflowClient, experiment: str, correlation: Mapping[str, str]) -> list[Run]:
    """The same, in the experiment of that name if it has any, else in all: a run may have been adopted from another."""
    known = mlflow.get_experiment_by_name(experiment)
    found = find_runs(mlflow, [known.experiment_id], correlation) if known is not None else []
    return found or find_runs(mlflow, every_experiment(mlflow), correlation)


def is_chosen(run: Run) -> bool:
    """Whether a start task has made this run the pipeline's; until then it carries the correlation alone."""
    return tags.PIPELINE in run.data.tags
