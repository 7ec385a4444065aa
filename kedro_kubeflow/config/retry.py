"""``run_config.retry_policy``: how often a failed step is tried again."""

from __future__ import annotations

from pydantic import Field

from kedro_kubeflow.config.duration import Duration
from kedro_kubeflow.config.model import Model


class RetryPolicyConfig(Model):
    """How often a failed step is tried again, and after what time.

    Which failures count is up to the cluster: KFP sets Argo's number of retries and leaves its `retryPolicy` alone
    (https://argo-workflows.readthedocs.io/en/latest/retries/); `OnError`, the default of KFP 2.17's manifests, tries again
    after the loss of a pod, and not after an exception.
    """

    num_retries: int = Field(default=0, ge=0)
    """How many times; 0 is not at all."""

    backoff_duration: Duration = 0
    """How long to wait before the first retry: seconds, or a number with `s`, `m`, `h` or `d`."""

    backoff_factor: float = Field(default=2.0, ge=1)
    """By what the waiting time is multiplied from one retry to the next."""

    backoff_max_duration: Duration = 3_600
    """The longest time to wait."""
