"""What a run that goes on from an earlier one takes over from that one's MLflow run, so that the two can be compared.

Which parameters and metrics a step has logged stands in a tag of the earlier run; of steps that did not, nothing is taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.experiment import every_experiment
from kedro_kubeflow.tracking.lookup import find_runs

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

# What one request may hold (https://mlflow.org/docs/latest/api_reference/rest-api.html#log-batch).
_MOST = 100


def take_over(mlflow: MlflowClient, run_id: str, *, earlier: str, steps: Sequence[str]) -> None:
    """Copy what steps have logged in an earlier run, and mark the run with whose they are.

    Done twice, it adds nothing: the same parameters, and points of metrics with the same time, step and value.

    Args:
        earlier: the pipeline run that is gone on from, as its target calls it.
        steps: the display names of the steps that are taken over.
    """
    told = {tags.RESUMED_FROM: earlier, tags.TAKEN_OVER: json.dumps(list(steps), ensure_ascii=False)}
    found = find_runs(mlflow, every_experiment(mlflow), {tags.RUN_ID: earlier})
    if found:
        told |= _copied(mlflow, found[0], run_id, steps)
    tags.write(mlflow, run_id, told)


def _copied(mlflow: MlflowClient, earlier: Run, run_id: str, steps: Sequence[str]) -> dict[str, str]:
    """Copy; gives the tags that go with it: where artifacts lie, and what was logged, for a run that goes on from this one."""
    known = earlier.data.tags
    logged = [(step, _logged(known, step)) for step in steps]
    params = {
        key: earlier.data.params[key] for _, said in logged for key in said["params"] if key in earlier.data.params
    }
    own = set(mlflow.get_run(run_id).data.params)
    _log(mlflow, run_id, params=[(key, value) for key, value in params.items() if key not in own])
    for key in sorted({key for _, said in logged for key in said["metrics"]}):
        _log(mlflow, run_id, metrics=mlflow.get_metric_history(earlier.info.run_id, key))
    copied = {
        tags.logged_key(tags.step_key(step)): known.get(tags.logged_key(tags.step_key(step)), "") for step in steps
    }
    addresses = {key: value for key, value in known.items() if key.startswith(tags.ARTIFACT_PREFIX)}
    return {key: value for key, value in {**copied, **addresses}.items() if value}


def _logged(known: Mapping[str, str], step: str) -> Mapping[str, list[str]]:
    try:
        said = json.loads(known.get(tags.logged_key(tags.step_key(step)), ""))
    except ValueError:
        return {"params": [], "metrics": []}
    return {kind: list(said.get(kind, ())) for kind in ("params", "metrics")}


def _log(
    mlflow: MlflowClient, run_id: str, *, params: Sequence[tuple[str, str]] = (), metrics: Sequence[Any] = ()
) -> None:
    from mlflow.entities import Metric, Param

    for some in _portions([Param(key, value) for key, value in params]):
        mlflow.log_batch(run_id, params=some, synchronous=True)
    for some in _portions([Metric(m.key, m.value, m.timestamp, m.step) for m in metrics]):
        mlflow.log_batch(run_id, metrics=some, synchronous=True)


def _portions(entries: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(entries), _MOST):
        yield entries[start : start + _MOST]
