"""What a run that goes on from an earlier one takes over from that one's MLflow run, so that the two can be compared.

Which parameters and metrics a step has logged stands in a tag of the earlier run; of steps that did not, nothing is taken.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.experiment import every_experiment
from kedro_kubeflow.tracking.lookup import find_runs

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

# What one request may hold (https://mlflow.org/docs/latest/api_reference/rest-api.html#log-batch).
_MOST = 100
_KNOWN_BY = (tags.RUN_ID, tags.VERTEX_JOB_NAME)
_GOES_ON, _SHOWN = "Goes on from", 20


def take_over(
    mlflow: MlflowClient, run_id: str, *, earlier: str, steps: Sequence[str], datasets: Collection[str] = ()
) -> None:
    """Copy what steps have logged in an earlier run, and mark the run with whose they are: which steps, metrics, parameters.

    Done twice, it adds nothing: the same parameters, and points of metrics with the same time, step and value.

    Args:
        earlier: the pipeline run that is gone on from, as its target calls it.
        steps: the display names of the steps that are taken over.
        datasets: what they have made.
    """
    told = {tags.RESUMED_FROM: earlier, tags.TAKEN_OVER: _listed(steps)}
    places = every_experiment(mlflow)
    # Vertex AI knows a job by its name.
    found = next(filter(None, (find_runs(mlflow, places, {key: earlier}) for key in _KNOWN_BY)), [])
    if found:
        told |= _copied(mlflow, found[0], run_id, steps)
        known = found[0].data.tags
        keys = {tags.artifact_key(dataset) for dataset in datasets}
        told |= {key: known[key] for key in keys if key in known}
    told[tags.NOTE] = _note(mlflow.get_run(run_id).data.tags.get(tags.NOTE, ""), told)
    tags.write(mlflow, run_id, told)


def _note(text: str, told: Mapping[str, str]) -> str:
    """A run's description, which MLflow shows above its metrics, and below it which of those are none of this run's own."""
    lines = [f"{_GOES_ON} `{told[tags.RESUMED_FROM]}`."]
    for what, key in (
        ("Steps", tags.TAKEN_OVER),
        ("Metrics", tags.TAKEN_OVER_METRICS),
        ("Params", tags.TAKEN_OVER_PARAMS),
    ):
        if names := json.loads(told.get(key, "[]")):
            more = f", … ({len(names)})" if len(names) > _SHOWN else ""
            lines.append(f"{what} taken over: {', '.join(f'`{name}`' for name in names[:_SHOWN])}{more}")
    own = text.partition(_GOES_ON)[0].rstrip()
    return "\n\n".join([own, *lines] if own else lines)


def _copied(mlflow: MlflowClient, earlier: Run, run_id: str, steps: Sequence[str]) -> dict[str, str]:
    """Copy; gives the tags that go with it: what is copied, and what each step has logged, for a run that goes on from here."""
    known = earlier.data.tags
    logged = [_logged(known, step) for step in steps]
    params = [key for key in _all(logged, "params") if key in earlier.data.params]
    metrics = [key for key in _all(logged, "metrics") if key in earlier.data.metrics]
    own = set(mlflow.get_run(run_id).data.params)
    _log(mlflow, run_id, params=[(key, earlier.data.params[key]) for key in params if key not in own])
    for key in metrics:
        _log(mlflow, run_id, metrics=mlflow.get_metric_history(earlier.info.run_id, key))
    said = [key for step in steps for key in (*_logged_keys(known, step), tags.sizes_key(tags.step_key(step)))]
    copied = {key: known[key] for key in said if key in known}
    marks = {tags.TAKEN_OVER_METRICS: metrics, tags.TAKEN_OVER_PARAMS: params}
    return {
        **{key: _listed(names) for key, names in marks.items() if names},
        tags.RESUMED_MLFLOW: str(earlier.info.run_id),
        **copied,
    }


def _all(logged: Sequence[Mapping[str, list[str]]], kind: str) -> list[str]:
    return sorted({key for said in logged for key in said[kind]})


def _listed(names: Sequence[str]) -> str:
    """Names as JSON, as many as a tag takes."""
    kept = list(names)
    while len(text := json.dumps(kept, ensure_ascii=False)) > tags.MAX_VALUE:
        kept = kept[: len(kept) * tags.MAX_VALUE // len(text)]
    return text


def _logged(known: Mapping[str, str], step: str) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {"params": [], "metrics": []}
    for key in _logged_keys(known, step):
        try:
            said = json.loads(known[key])
        except ValueError:
            continue
        for kind, names in found.items():
            names += said.get(kind, ())
    return found


def _logged_keys(known: Mapping[str, str], step: str) -> Iterator[str]:
    """The tags that say what a step has logged; there are several where it is much."""
    first = tags.logged_key(tags.step_key(step))
    for number in itertools.count(1):
        key = tags.numbered(first, number)
        if key not in known:
            return
        yield key


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
