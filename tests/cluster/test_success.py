"""The whole quickstart, from the upload to the log of a step."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cluster.conftest import Started
from cluster.hooks import Hooks
from cluster.mlflow_runs import MlflowRuns
from cluster.quickstart import Quickstart, printed_json, states_of
from cluster.server import Server

pytestmark = pytest.mark.cluster

NODES = {
    "clean_penguins",
    "create_model_input",
    "split_data",
    "linear_model.train_model",
    "linear_model.evaluate_model",
    "random_forest.train_model",
    "random_forest.evaluate_model",
    "compare_models",
    "plot_measurements",
    "plot_predictions",
}


@pytest.fixture(scope="module")
def uploaded(copy: Callable[..., Quickstart]) -> Quickstart:
    quickstart = copy()
    quickstart.kubeflow("upload-pipeline").ok()
    return quickstart


def test_the_server_suits_the_project(uploaded: Quickstart) -> None:
    uploaded.kubeflow("check", "--server").ok()


def test_the_same_pipeline_is_uploaded_once_and_another_is_a_new_version(uploaded: Quickstart, server: Server) -> None:
    pipeline = server.pipeline(uploaded.name)
    assert pipeline is not None
    assert len(server.versions(pipeline.pipeline_id)) == 1
    uploaded.kubeflow("upload-pipeline").ok()
    assert len(server.versions(pipeline.pipeline_id)) == 1
    uploaded.kubeflow("upload-pipeline", "--param", "test_size=0.5").ok()
    assert len(server.versions(pipeline.pipeline_id)) == 2
    assert uploaded.name in uploaded.kubeflow("list-pipelines").ok().out


@pytest.mark.run("--param", "test_size=0.3")
def test_every_step_of_the_whole_pipeline_succeeds(run: Started, mlflow_runs: MlflowRuns) -> None:
    status = run.end()
    assert status["state"] == "SUCCEEDED", status
    states = states_of(status)
    assert set(states) >= NODES
    assert set(states.values()) == {"SUCCEEDED"}, states
    assert mlflow_runs.status(run.id, "FINISHED") == "FINISHED"
    tracked = mlflow_runs.one(run.id)
    assert any(key.startswith("test") for key in tracked.data.metrics), tracked.data.metrics
    listed = printed_json(run.kubeflow("runs", "--output", "json").ok().out)
    assert [r["state"] for r in listed if r["run_id"] == run.id] == ["SUCCEEDED"]
    log = run.kubeflow("logs", run.id, "clean_penguins").ok()
    assert "clean_penguins" in log.out
    assert "error_message" not in log.text


@pytest.mark.run("--to-nodes", "clean_penguins", hook=True, run_config={"on_exit_pipeline": "data_processing"})
def test_at_the_end_a_pipeline_runs_and_a_message_is_sent(
    run: Started, mlflow_runs: MlflowRuns, hooks: Hooks, request: pytest.FixtureRequest
) -> None:
    status = run.end()
    assert status["state"] == "SUCCEEDED", status
    messages = hooks.messages(request.node.name)
    assert [(m["status"], m["run_id"], m["failed_steps"]) for m in messages] == [("succeeded", run.id, [])]
    assert mlflow_runs.status(run.id, "FINISHED") == "FINISHED"
    assert messages[0]["mlflow_run_id"] == mlflow_runs.one(run.id).info.run_id


@pytest.mark.run("--to-nodes", "create_model_input", storage=True, run_config={"volume": {"size": "1Gi"}})
def test_steps_share_a_volume(run: Started, mlflow_runs: MlflowRuns) -> None:
    status = run.end()
    assert status["state"] == "SUCCEEDED", status
    assert mlflow_runs.status(run.id, "FINISHED") == "FINISHED"


@pytest.mark.run("--to-nodes", "clean_penguins", run_config={"cache": True})
def test_what_has_been_made_is_taken_from_the_cache(run: Started, mlflow_runs: MlflowRuns) -> None:
    assert run.end()["state"] == "SUCCEEDED", run.end()
    again = run.quickstart.start("--to-nodes", "clean_penguins")
    status = run.quickstart.until(again)
    assert status["state"] == "SUCCEEDED", status
    assert states_of(status)["clean_penguins"] == "CACHED", status
    assert mlflow_runs.status(again, "FINISHED") == "FINISHED"
