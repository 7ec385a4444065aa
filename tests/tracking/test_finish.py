from __future__ import annotations

import uuid

import pytest
from conftest import MlflowServer
from mlflow import MlflowClient
from mlflow.entities import Run

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.finish import finish, mark_success
from kedro_kubeflow.tracking.lookup import find_anywhere
from kedro_kubeflow.tracking.status import Heard


@pytest.fixture
def client(mlflow_server: MlflowServer) -> MlflowClient:
    return MlflowClient(mlflow_server.uri)


def run_with(client: MlflowClient, **steps: str) -> str:
    made = client.create_run("0", tags={tags.RUN_ID: str(uuid.uuid4()), tags.PIPELINE: "p"})
    tags.write(client, made.info.run_id, {tags.step_key(step): value for step, value in steps.items()} or {"x": "y"})
    return str(made.info.run_id)


def ended(client: MlflowClient, run_id: str, state: str, error: str = "", **more: bool) -> Run:
    heard = Heard(state=state, error=error, marked=True, **more)
    status = finish(client, client.get_run(run_id), heard)
    run = client.get_run(run_id)
    assert run.info.status == status
    assert run.data.tags[tags.FINAL_STATUS] == status
    return run


def test_a_killed_step_is_named_by_the_node_that_ran(client: MlflowClient) -> None:
    run = ended(client, run_with(client, prepare="succeeded in 1.0 s", group="running ns.train"), "FAILED")
    assert run.info.status == "FAILED"
    assert run.data.tags[tags.FAILED_NODE] == "ns.train"
    assert run.data.tags[tags.step_key("group")] == "failed (without a word)"
    assert "without a word" in run.data.tags[tags.ERROR]
    assert "without a word" in run.data.tags[tags.error_key(tags.step_key("group"))]


def test_a_step_that_was_killed_before_its_first_node_is_named_itself(client: MlflowClient) -> None:
    run = ended(client, run_with(client, group="running"), "RUNNING")
    assert run.data.tags[tags.FAILED_NODE] == "group"


def test_a_step_that_kubeflow_takes_for_done_in_the_middle_has_not_succeeded(client: MlflowClient) -> None:
    """Something has ended its process with exit code 0."""
    run = ended(client, run_with(client, prepare="succeeded in 1.0 s", train="running ns.train"), "COMPLETE")
    assert (run.info.status, run.data.tags[tags.FAILED_NODE]) == ("FAILED", "ns.train")
    assert "without a word" in run.data.tags[tags.ERROR]


def test_a_pod_that_never_started_is_a_failure_with_a_reason(client: MlflowClient) -> None:
    run = ended(client, run_with(client), "FAILED")
    assert run.info.status == "FAILED"
    assert "did not start" in run.data.tags[tags.ERROR]
    assert tags.FAILED_NODE not in run.data.tags


def test_the_backends_own_word_is_kept_without_its_secrets(client: MlflowClient) -> None:
    run = ended(client, run_with(client), "FAILED", error="image https://u:pw123@reg/x:1\nnot found")
    assert run.data.tags[tags.ERROR] == "image https://[redacted]@reg/x:1 not found"


def test_what_the_failing_step_said_is_not_overwritten(client: MlflowClient) -> None:
    run_id = run_with(client, train="failed after 1.0 s: ValueError: x", other="running other")
    tags.write(client, run_id, {tags.FAILED_NODE: "train", tags.ERROR: "ValueError: x"})
    run = ended(client, run_id, "FAILED")
    assert run.data.tags[tags.FAILED_NODE] == "train"
    assert run.data.tags[tags.ERROR] == "ValueError: x"
    assert run.data.tags[tags.step_key("other")] == "failed (without a word)"


def test_a_cancelled_run_is_killed_and_blames_nobody(client: MlflowClient) -> None:
    run = ended(client, run_with(client, train="running train"), "CANCELED")
    assert run.info.status == "KILLED"
    assert run.data.tags[tags.step_key("train")] == "terminated"
    assert tags.FAILED_NODE not in run.data.tags


def test_a_step_that_was_told_to_end_has_failed_unless_somebody_ended_the_run(client: MlflowClient) -> None:
    run_id = run_with(client, train="terminated after 3.0 s: ns.train", other="succeeded in 1.0 s")
    run = ended(client, run_id, "RUNNING", asked=True)
    assert (run.info.status, run.data.tags[tags.FAILED_NODE]) == ("FAILED", "ns.train")
    assert "was told to end" in run.data.tags[tags.ERROR]
    assert "somebody" not in run.data.tags[tags.ERROR]
    run = ended(client, run_id, "RUNNING", asked=True, cancelled=True)
    assert run.info.status == "KILLED"
    assert not {tags.FAILED_NODE, tags.ERROR} & set(run.data.tags), "of an end before"
    assert "somebody" in ended(client, run_id, "RUNNING").data.tags[tags.ERROR]


def test_the_words_of_an_attempt_before_do_not_stand_for_a_step_that_was_killed_since(client: MlflowClient) -> None:
    run_id = run_with(client, train="running train", other="succeeded in 1.0 s")
    tags.write(client, run_id, {tags.FAILED_NODE: "other", tags.ERROR: "ValueError: x", tags.FINAL_STATUS: "FAILED"})
    run = ended(client, run_id, "FAILED")
    assert run.data.tags[tags.FAILED_NODE] == "train"
    assert "without a word" in run.data.tags[tags.ERROR]


def test_every_step_says_well_and_kubeflow_does_not(client: MlflowClient) -> None:
    run_id = run_with(client, train="succeeded in 1.0 s")
    run = ended(client, run_id, "RUNNING")
    assert run.info.status == "FAILED"
    assert "--repair" in run.data.tags[tags.ERROR]
    assert ended(client, run_id, "RUNNING", succeeded=True).info.status == "FINISHED"
    assert tags.ERROR not in client.get_run(run_id).data.tags


def test_an_exit_pipeline_that_failed_is_no_failed_step(client: MlflowClient) -> None:
    run_id = run_with(client, train="running train", **{"on-exit-pipeline": "failed after 1.0 s: ValueError"})
    run = ended(client, run_id, "RUNNING", cancelled=True)
    assert run.info.status == "KILLED"
    assert run.data.tags[tags.step_key("on-exit-pipeline")].startswith("failed")


def test_marked_success_stands_whatever_the_exit_task_hears(client: MlflowClient) -> None:
    run_id = run_with(client, train="succeeded in 1.0 s")
    mark_success(client, client.get_run(run_id))
    assert ended(client, run_id, "RUNNING").info.status == "FINISHED"


def test_a_mark_that_was_cut_short_is_completed(client: MlflowClient) -> None:
    run_id = run_with(client, train="succeeded in 1.0 s")
    tags.write(client, run_id, {tags.FINAL_STATUS: "FINISHED"})
    assert client.get_run(run_id).info.status == "RUNNING"
    assert ended(client, run_id, "FAILED").info.status == "FINISHED"


def test_success_clears_what_an_earlier_attempt_said(client: MlflowClient) -> None:
    run_id = run_with(client, train="succeeded in 1.0 s")
    tags.write(client, run_id, {tags.FAILED_NODE: "train", tags.ERROR: "x", tags.FINAL_STATUS: "FAILED"})
    client.set_terminated(run_id, "FAILED")
    mark_success(client, client.get_run(run_id))
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert not {tags.FAILED_NODE, tags.ERROR} & set(run.data.tags)


@pytest.mark.parametrize("state", ["COMPLETE", "FAILED"])
def test_an_adopted_run_is_not_ended(client: MlflowClient, state: str) -> None:
    run_id = run_with(client, train="running train")
    tags.write(client, run_id, {tags.ADOPTED: "true"})
    finish(client, client.get_run(run_id), Heard(state=state))
    mark_success(client, client.get_run(run_id))
    run = client.get_run(run_id)
    assert run.info.status == "RUNNING"
    assert tags.FINAL_STATUS not in run.data.tags


def test_a_run_is_found_in_any_experiment(client: MlflowClient) -> None:
    job = str(uuid.uuid4())
    elsewhere = client.create_experiment(f"elsewhere-{job}")
    made = client.create_run(elsewhere, tags={tags.RUN_ID: job})
    found = find_anywhere(client, "an experiment that there is not", {tags.RUN_ID: job})
    assert [run.info.run_id for run in found] == [made.info.run_id]
    assert find_anywhere(client, f"elsewhere-{job}", {tags.RUN_ID: "another"}) == []
