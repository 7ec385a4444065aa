"""What Kubeflow Pipelines cannot do, and why."""

from __future__ import annotations

from collections.abc import Mapping

from kedro_kubeflow.targets.base.target import Reason

CANNOT: Mapping[str, Reason] = {
    "image": Reason("a schedule there runs what was uploaded"),
}

# Of a schedule's configuration.
SCHEDULE: Mapping[str, str] = dict.fromkeys(
    ("allow_queueing", "max_run_count"), "take it out; `end_time` and `max_concurrency` bound a schedule there"
)
