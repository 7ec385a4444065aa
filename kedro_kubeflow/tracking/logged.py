"""What this process logs to the pipeline's run, seen on its way: by kedro-mlflow, user code or autologging.

All of them go through ``MlflowClient.log_metric``, ``log_batch``, ``log_param`` and ``set_tag``
(https://mlflow.org/docs/latest/api_reference/python_api/mlflow.client.html), from whatever thread; asking the server afterwards
would also give what steps that ran at the same time have logged.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kedro_kubeflow.tracking.earlier import EarlierAttempt


class StepLog:
    """What a step logs to one run.

    Attributes:
        metrics: the last value of each metric, where it is a finite number: KFP's metadata takes no other.
        params: the parameters' keys.
    """

    def __init__(self, run_id: str, earlier: EarlierAttempt | None = None) -> None:
        """``earlier`` is what an earlier attempt of the step has logged; None in its first."""
        self.metrics: dict[str, float] = {}
        self.params: set[str] = set()
        self._run_id, self._earlier = run_id, earlier
        self._left_out: Mapping[str, str | None] = {}

    def keys(self, most: int) -> list[str]:
        """The keys of what was logged, as JSON, in as many texts as are needed: ``{"metrics": […], "params": […]}``.

        Args:
            most: how many characters a text may have.
        """
        found = [("metrics", key) for key in sorted(self.metrics)] + [("params", key) for key in sorted(self.params)]
        texts: list[str] = []
        while found:
            count = len(found)
            while len(text := _as_text(found[:count])) > most and count > 1:
                count = max(count * most // (len(text) + 1), 1)
            texts.append(text)
            found = found[count:]
        return texts

    @contextmanager
    def recording(self) -> Iterator[StepLog]:
        """See all that is logged while the block runs."""
        from mlflow import MlflowClient

        client: Any = MlflowClient
        through: dict[str, Callable[[dict[str, Any]], bool]] = {
            "log_metric": self._metric,
            "log_batch": self._batch,
            "log_param": self._param,
            "set_tag": self._tag,
        }
        originals = {name: getattr(client, name) for name in through}
        for name, look in through.items():
            setattr(client, name, self._seen(originals[name], look))
        try:
            yield self
        finally:
            for name, original in originals.items():
                setattr(client, name, original)

    @contextmanager
    def leaving_out(self, tags: Mapping[str, str | None]) -> Iterator[None]:
        """Let no tag with one of these keys and its value (None: any value) reach the run while the block runs."""
        self._left_out = tags
        try:
            yield
        finally:
            self._left_out = {}

    def _seen(self, original: Callable[..., Any], look: Callable[[dict[str, Any]], bool]) -> Callable[..., Any]:
        """The original, with a look at its arguments first; where that says False, nothing is sent."""
        signature = inspect.signature(original)

        @functools.wraps(original)
        def seen(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            if bound.arguments["run_id"] == self._run_id and not look(bound.arguments):
                return bound.arguments.get("value") if original.__name__ == "log_param" else None
            return original(*bound.args, **bound.kwargs)

        return seen

    def _metric(self, call: dict[str, Any]) -> bool:
        if (earlier := self._seen_point(call["key"], call["value"], call.get("step"))) is not None:
            call["timestamp"] = earlier
        return True

    def _batch(self, call: dict[str, Any]) -> bool:
        if metrics := call.get("metrics"):
            call["metrics"] = [self._same_point(metric) for metric in metrics]
        if params := call.get("params"):
            self.params |= {param.key for param in params}
            call["params"] = [param for param in params if not self._is_kept(param.key, param.value)]
        if tags := call.get("tags"):
            call["tags"] = [tag for tag in tags if not self._is_left_out(tag.key, tag.value)]
        return True

    def _param(self, call: dict[str, Any]) -> bool:
        self.params.add(call["key"])
        return not self._is_kept(call["key"], call["value"])

    def _tag(self, call: dict[str, Any]) -> bool:
        return not self._is_left_out(call["key"], call["value"])

    def _same_point(self, metric: Any) -> Any:
        from mlflow.entities import Metric

        earlier = self._seen_point(metric.key, metric.value, metric.step)
        return metric if earlier is None else Metric(**{**dict(metric), "timestamp": earlier})

    def _seen_point(self, key: str, value: Any, step: int | None) -> int | None:
        """Note a metric's point; gives its time, where an earlier attempt has logged the same."""
        try:
            number = float(value)
        except (TypeError, ValueError):
            # MLflow has words of its own for what is no number.
            return None
        if math.isfinite(number):
            self.metrics[key] = number
        return self._earlier.timestamp(key, number, step or 0) if self._earlier else None

    def _is_kept(self, key: str, value: object) -> bool:
        return self._earlier is not None and self._earlier.keeps(key, value)

    def _is_left_out(self, key: str, value: object) -> bool:
        return key in self._left_out and self._left_out[key] in (None, str(value))


def _as_text(keys: Sequence[tuple[str, str]]) -> str:
    return json.dumps({kind: [key for of, key in keys if of == kind] for kind in ("metrics", "params")})
