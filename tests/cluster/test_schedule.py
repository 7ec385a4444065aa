"""A schedule of every minute: its run, the run's MLflow run, and the schedule's end."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from cluster.mlflow_runs import MlflowRuns
from cluster.quickstart import Quickstart
from cluster.server import Server

pytestmark = pytest.mark.cluster


def test_a_schedule_starts_runs_until_it_is_deleted(
    copy: Callable[..., Quickstart], server: Server, mlflow_runs: MlflowRuns
) -> None:
    quickstart = copy(grouping="all")
    try:
        quickstart.kubeflow("upload-pipeline").ok()
        quickstart.kubeflow("schedule", "--cron", "* * * * *", "--no-catchup").ok()
        first = _first_run(server, quickstart.name)
        quickstart.kubeflow("schedule", "--list").ok()
        status = quickstart.until(first)
        assert status["state"] == "SUCCEEDED", status
        assert mlflow_runs.status(first, "FINISHED") == "FINISHED"
    finally:
        quickstart.kubeflow("schedule", "--delete")
    assert quickstart.name not in quickstart.kubeflow("schedule", "--list").ok().out


def _first_run(server: Server, experiment: str, *, seconds: float = 180) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = server.experiment(experiment)
        runs = server.runs_of(found.experiment_id) if found is not None else []
        if runs:
            return str(runs[-1].run_id)
        time.sleep(3)
    raise AssertionError("the schedule has started no run")
