"""The metrics that this process logs to MLflow, whoever calls for it: kedro-mlflow, user code, autologging.

All of them go through ``MlflowClient.log_metric`` and ``log_batch``; asking the server afterwards would also give what
steps that ran at the same time have logged.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def logged_metrics() -> Iterator[dict[str, float]]:
    """Collect, while the block runs, the last value of each metric that is logged."""
    from mlflow import MlflowClient

    seen: dict[str, float] = {}
    log_metric, log_batch = MlflowClient.log_metric, MlflowClient.log_batch

    @functools.wraps(log_metric)
    def recording_metric(self: Any, run_id: str, key: str, value: float, *args: Any, **kwargs: Any) -> Any:
        done = log_metric(self, run_id, key, value, *args, **kwargs)
        seen[key] = float(value)
        return done

    client: Any = MlflowClient
    client.log_metric = recording_metric
    client.log_batch = _recording_batch(log_batch, seen)
    try:
        yield seen
    finally:
        client.log_metric, client.log_batch = log_metric, log_batch


def _recording_batch(log_batch: Callable[..., Any], seen: dict[str, float]) -> Callable[..., Any]:
    @functools.wraps(log_batch)
    def recording(self: Any, run_id: str, metrics: Any = (), *args: Any, **kwargs: Any) -> Any:
        done = log_batch(self, run_id, metrics, *args, **kwargs)
        seen.update({metric.key: float(metric.value) for metric in metrics})
        return done

    return recording
