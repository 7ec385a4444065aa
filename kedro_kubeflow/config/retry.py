"""``run_config.retry_policy``: how often a failed step is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from kedro_kubeflow.config.duration import Duration
from kedro_kubeflow.config.model import Model

# What kfp calls it; Argo, to which it goes, calls it `maxDuration`.
_OLD = "backoff_max_duration"


class RetryPolicyConfig(Model):
    """How often a failed step is tried again, and after what time.

    A node that fails is tried again by the step itself, in the same pod. A pod that is lost (evicted, deleted) is made anew by
    Kubeflow: as often as this says, and twice where nothing is said. A process that is killed, as by the memory's limit, is
    tried again by neither (https://argo-workflows.readthedocs.io/en/latest/retries/).
    """

    num_retries: int = Field(default=0, ge=0)
    """How many times; 0 is not at all."""

    backoff_duration: Duration = 0
    """How long to wait before the first retry: seconds, or a number with `s`, `m`, `h` or `d`."""

    backoff_factor: int = Field(default=2, ge=1)
    """By what the waiting time is multiplied from one retry to the next. A whole number: Argo takes no other."""

    max_duration: Duration | None = None
    """The time from the beginning of the first attempt after which nothing is tried again, and a pod is ended; without end
    where nothing is said. `backoff_max_duration` is the same."""

    @model_validator(mode="before")
    @classmethod
    def _other_word(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or _OLD not in value:
            return value
        if "max_duration" in value:
            raise ValueError(f"`{_OLD}` and `max_duration` are the same; one is enough")
        return {"max_duration" if key == _OLD else key: item for key, item in value.items()}
