"""Runs that do not end well: each is told as what it was, here and in its one MLflow run."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from cluster.conftest import NO_KUBECTL, Started
from cluster.hooks import Hooks
from cluster.mlflow_runs import MlflowRuns
from cluster.quickstart import Quickstart, states_of
from cluster.server import Place

pytestmark = pytest.mark.cluster

WRONG = ("--to-nodes", "create_model_input", "--param", "target=no_such_column")
SMALL = {"resources": {"clean_penguins": {"requests": {"memory": "32Mi"}, "limits": {"memory": "110Mi"}}}}


@pytest.mark.run(*WRONG, run_config={})
def test_a_failed_node_is_named_with_its_last_words(run: Started, mlflow_runs: MlflowRuns) -> None:
    status = run.end()
    assert status["state"] == "FAILED", status
    states = states_of(status)
    assert (states["clean_penguins"], states["create_model_input"]) == ("SUCCEEDED", "FAILED"), states
    assert mlflow_runs.status(run.id, "FAILED") == "FAILED"
    tags = mlflow_runs.one(run.id).data.tags
    assert tags["kubeflow_failed_node"] == "create_model_input"
    assert "no_such_column" in tags["kubeflow_error"]
    assert "no_such_column" in run.kubeflow("logs", run.id, "create_model_input").ok().out
    assert "no_such_column" in run.kubeflow("status", run.id).ok().out


@pytest.mark.run(*WRONG, hook=True)
def test_a_message_tells_of_a_failure(run: Started, hooks: Hooks, request: pytest.FixtureRequest) -> None:
    assert run.end()["state"] == "FAILED", run.end()
    (message,) = hooks.messages(request.node.name)
    assert (message["status"], message["failed_steps"]) == ("failed", ["create_model_input"])
    assert "no_such_column" in message["error"]


def test_a_terminated_run_is_cancelled_and_a_retry_ends_it_well(
    copy: Callable[..., Quickstart], mlflow_runs: MlflowRuns
) -> None:
    quickstart = copy()
    run_id = quickstart.start("--to-nodes", "linear_model.evaluate_model")
    quickstart.until_step(run_id, "clean_penguins", ["RUNNING", "SUCCEEDED"])
    quickstart.kubeflow("terminate", run_id).ok()
    status = quickstart.until(run_id)
    assert status["state"] == "CANCELED", status
    assert mlflow_runs.status(run_id, "KILLED") == "KILLED"
    quickstart.kubeflow("retry", run_id, "--wait-for-completion", seconds=900).ok()
    assert mlflow_runs.status(run_id, "FINISHED") == "FINISHED"


@pytest.mark.run("--to-nodes", "clean_penguins", kubectl=True, run_config=SMALL)
def test_a_step_out_of_memory_fails_the_run(run: Started, mlflow_runs: MlflowRuns) -> None:
    status = run.end()
    assert status["state"] == "FAILED", status
    assert states_of(status)["clean_penguins"] == "FAILED", status
    assert mlflow_runs.status(run.id, "FAILED") == "FAILED"
    assert mlflow_runs.one(run.id).data.tags.get("kubeflow_failed_node", "clean_penguins") == "clean_penguins"


def test_a_step_whose_pod_is_deleted_is_run_again(
    copy: Callable[..., Quickstart], mlflow_runs: MlflowRuns, place: Place
) -> None:
    if not place.has_kubectl():
        pytest.skip(NO_KUBECTL)
    quickstart = copy()
    run_id = quickstart.start("--to-nodes", "clean_penguins")
    place.kubectl("delete", "pod", _pod_of_a_step(place, run_id), "--wait=false")
    status = quickstart.until(run_id)
    assert status["state"] == "SUCCEEDED", status
    assert mlflow_runs.status(run_id, "FINISHED") == "FINISHED"


def _pod_of_a_step(place: Place, run_id: str, *, seconds: float = 300) -> str:
    """The run's second executor pod that lives: the first is that of mlflow-start-run."""
    seen: list[str] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        template = "{range .items[*]}{.metadata.name} {.status.phase}\n{end}"
        pods = place.kubectl("get", "pods", "-l", f"pipeline/runid={run_id}", "-o", f"jsonpath={template}")
        for name, phase in (line.split() for line in pods.splitlines()):
            if "-impl-" not in name or name in seen or phase not in ("Pending", "Running"):
                continue
            seen.append(name)
            if len(seen) == 2:
                return name
        time.sleep(0.5)
    raise AssertionError(f"no step of {run_id} has started")
