"""What is tried again, and by whom."""

from __future__ import annotations

from collections.abc import Iterator

from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.plan import Plan

_WHERE = "kubeflow.yml, run_config.retry_policy"


def retry_findings(plan: Plan) -> Iterator[Finding]:
    """A word on steps that are tried again: Kubeflow Pipelines does so for pods that are lost, and for nothing else."""
    tried = [t for t in plan.tasks if t.settings and t.settings.retry.num_retries and not t.at_exit]
    if not tried or plan.target != "kubeflow":
        return
    yield Finding(
        "retries",
        "info",
        f"{len(tried)} steps are tried again: after an error of a node by the step itself, in its pod; after the loss of a pod "
        "by Kubeflow; a process that is killed, as by the memory's limit, by nobody",
        _WHERE,
    )
    short = [t.display_name for t in tried if t.settings and t.settings.timeout]
    if short:
        yield Finding(
            "retries-timeout",
            "info",
            f"The attempts of {', '.join(map(repr, short[:5]))} share the time of one pod (run_config.timeout)",
            _WHERE,
        )
