"""Where a run's artifacts lie, as its steps say it in MLflow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.experiment import every_experiment
from kedro_kubeflow.tracking.lookup import find_runs

if TYPE_CHECKING:
    from mlflow import MlflowClient


def artifact_places(mlflow: MlflowClient, run_id: str, steps: Mapping[str, str]) -> dict[str, tuple[str, int | None]]:
    """Dataset → URI and bytes; those that no step has told of are left out.

    Args:
        run_id: the pipeline run's, as its target calls it.
        steps: dataset → the display name of the step that makes it.
    """
    found = find_runs(mlflow, every_experiment(mlflow), {tags.RUN_ID: run_id})
    known = found[0].data.tags if found else {}
    keys = {dataset: tags.artifact_key(dataset) for dataset in steps}
    sizes = {step: _sizes(known.get(tags.sizes_key(tags.step_key(step)))) for step in set(steps.values())}
    return {d: (known[key], sizes[steps[d]].get(d)) for d, key in keys.items() if key in known}


def _sizes(text: str | None) -> dict[str, int]:
    try:
        return {name: int(size) for name, size in json.loads(text or "{}").items()}
    except ValueError:
        # Cut, or another's: sizes are no more than good to know.
        return {}
