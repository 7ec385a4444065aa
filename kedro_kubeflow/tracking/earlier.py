"""What a step's earlier attempt has logged already, so that the next attempt neither fails on it nor doubles it."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Run

_log = logging.getLogger(__name__)


class EarlierAttempt:
    """The run as it was when the step's new attempt began."""

    def __init__(self, mlflow: MlflowClient, run: Run) -> None:
        self._client, self._run_id = mlflow, run.info.run_id
        self._params: dict[str, str] = dict(run.data.params)
        self._metrics = set(run.data.metrics)
        self._points: dict[str, list[Metric]] = {}

    def keeps(self, key: str, value: object) -> bool:
        """Whether a parameter keeps the earlier value, as MLflow has no way to change one."""
        if self._params.get(key, str(value)) == str(value):
            return False
        _log.warning(
            "The MLflow parameter %r keeps the value of an earlier attempt, %r; now it would be %r",
            *(key, self._params[key], str(value)),
        )
        return True

    def timestamp(self, key: str, value: float, step: int) -> int | None:
        """When the same value was logged for the same step of a metric: logged again with that time it is the same point.

        Each point is given out once, so that a value that comes twice stays two points.
        """
        if key not in self._metrics:
            return None
        if key not in self._points:
            self._points[key] = list(self._client.get_metric_history(self._run_id, key))
        for index, point in enumerate(self._points[key]):
            if point.step == step and _same(point.value, value):
                return int(self._points[key].pop(index).timestamp)
        return None


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
