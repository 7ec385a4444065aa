"""``run_config.ttl``: how long a run's workflow stays in the cluster."""

from __future__ import annotations

from kedro_kubeflow.config.duration import Duration
from kedro_kubeflow.config.model import Model


class TtlConfig(Model):
    """How long the Argo workflow, its pods and its volume stay in the cluster after a run has ended."""

    completion: Duration | None = None
    """After any end."""
    success: Duration | None = None
    """After a success; goes before `completion`."""
    failure: Duration | None = None
    """After a failure; goes before `completion`."""
