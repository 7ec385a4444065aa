"""Runs whose exit task failed or never ran: said by every command that sees their end, and closed in a real MLflow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from conftest import MlflowServer
from kedro_project import KedroProject, make_project
from kfp_server import KfpServer, Script
from mlflow import MlflowClient

from cli.conftest import Kedro
from kedro_kubeflow.tracking import tags

EXIT = "mlflow-end-run"
LOST, NO_DRIVER = Script(exit_lost=True), Script(exit_driver_lost=True)
CLOSED = f"The exit task '{EXIT}' never ran: its MLflow run {{}} was closed from here ({{}})."


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, mlflow_server: MlflowServer) -> KedroProject:
    """A project whose runs are tracked; by an address alone, so that asking is quick."""
    server = {"mlflow_tracking_uri": mlflow_server.uri}
    return make_project(tmp_path_factory.mktemp("demo"), parameters={"limit": 4}, mlflow={"server": server})


@pytest.fixture
def mlflow(mlflow_server: MlflowServer) -> MlflowClient:
    return MlflowClient(mlflow_server.uri)


Start = Callable[..., tuple[str, str]]


@pytest.fixture
def start(server: KfpServer, mlflow: MlflowClient, kedro: Kedro, uploaded: dict[str, str]) -> Start:
    """Makes a run, which its first task has opened in MLflow too; looked at until it has ended, or so many times."""
    reference = {"pipeline_id": uploaded["pipeline_id"], "pipeline_version_id": uploaded["version_id"]}

    def made(script: Script, looks: int | None = None, **more: str) -> tuple[str, str]:
        server.script(script)
        run_id: str = server.runs.create({"display_name": "a run", "pipeline_version_reference": reference})["run_id"]
        known = {tags.RUN_ID: run_id, tags.step_key("prepare"): "running prepare", **more}
        for _ in range(20 if looks is None else looks):
            server.runs.get(run_id)
        return run_id, mlflow.create_run("0", tags=known).info.run_id

    return made


def status_in(mlflow: MlflowClient, run_id: str) -> str:
    return str(mlflow.get_run(run_id).info.status)


@pytest.mark.parametrize(
    ("script", "became"),
    [
        (LOST, "FINISHED"),
        (replace(LOST, failing="double"), "FAILED"),
    ],
)
def test_status_closes_what_the_exit_task_never_came_to(
    kedro: Kedro, start: Start, mlflow: MlflowClient, script: Script, became: str
) -> None:
    said = {} if script.failing else {tags.step_key("prepare"): "succeeded in 1 s"}
    run_id, mlflow_id = start(script, **said)
    done = kedro("status", run_id).ok()
    assert done.err.splitlines() == [CLOSED.format(mlflow_id, became)]
    assert status_in(mlflow, mlflow_id) == became
    # It is said of a run that is closed, too, and nothing more is written.
    again = kedro("status", run_id, "--output", "json").ok()
    assert again.json["mlflow_end"] == f"The exit task '{EXIT}' never ran."
    assert again.json["mlflow"]["status"] == became


def test_status_as_json(kedro: Kedro, start: Start) -> None:
    run_id, mlflow_id = start(replace(LOST, failing="double"))
    done = kedro("status", run_id, "--output", "json").ok()
    assert done.json["mlflow"]["status"] == "FAILED"
    assert done.json["mlflow_end"] == CLOSED.format(mlflow_id, "FAILED")


def test_an_exit_task_whose_driver_was_lost(kedro: Kedro, start: Start, mlflow: MlflowClient) -> None:
    """As once in eleven real runs, of one that was terminated."""
    run_id, mlflow_id = start(replace(NO_DRIVER, stays=True), looks=4)
    done = kedro("terminate", run_id).ok()
    assert done.out.startswith("a run: CANCELED\n")
    waited, said = done.err.splitlines()
    assert waited == "CANCELING: waiting for its exit task (Ctrl-C ends the waiting, not the run's end)."
    assert said == f"The exit task '{EXIT}' failed: its MLflow run {mlflow_id} was closed from here (KILLED)."
    assert status_in(mlflow, mlflow_id) == "KILLED"
    [end] = [s for s in kedro("status", run_id, "--output", "json").json["steps"] if s["step"] == EXIT]
    assert (end["state"], end["error"]) == (
        "FAILED",
        "it was never begun: the pod before it, KFP's driver, failed or was lost",
    )


def test_terminate_need_not_be_waited_for(kedro: Kedro, start: Start, mlflow: MlflowClient) -> None:
    run_id, mlflow_id = start(replace(LOST, stays=True), looks=4)
    assert kedro("terminate", run_id, "--no-wait").ok().out.startswith("a run: CANCELING\n")
    assert status_in(mlflow, mlflow_id) == "RUNNING"
    assert kedro("terminate", run_id, "--output", "json").ok().json["mlflow_end"] == CLOSED.format(mlflow_id, "KILLED")
    assert status_in(mlflow, mlflow_id) == "KILLED"


def test_run_once_that_waits(server: KfpServer, kedro: Kedro, mlflow: MlflowClient) -> None:
    made: list[str] = []
    get = server.runs.get

    def opened(run_id: str) -> dict:
        if not made:
            made.append(mlflow.create_run("0", tags={tags.RUN_ID: run_id}).info.run_id)
        return get(run_id)

    server.runs.get = opened  # type: ignore[method-assign]
    server.script(LOST)
    done = kedro("run-once", "--wait-for-completion", "--output", "json").ok()
    assert done.json["mlflow_end"] == CLOSED.format(made[0], "FINISHED")
    assert status_in(mlflow, made[0]) == "FINISHED"


@pytest.mark.parametrize("script", [Script(), Script(failing="double")])
def test_of_an_exit_task_that_does_its_work_nothing_is_said(
    kedro: Kedro, start: Start, mlflow: MlflowClient, script: Script
) -> None:
    """Also where it ends with an error, as in every run that has not succeeded; and of a run that goes on."""
    run_id, mlflow_id = start(script, looks=3)
    assert kedro("status", run_id).ok().err == ""
    status = "FAILED" if script.failing else "FINISHED"
    mlflow.set_terminated(mlflow_id, status)
    for _ in range(20):
        done = kedro("status", run_id, "--output", "json").ok()
        if done.json["state"] != "RUNNING":
            break
    assert (done.json["mlflow_end"], done.err) == (None, "")
    assert status_in(mlflow, mlflow_id) == status


def test_somebody_elses_run_is_left_alone(kedro: Kedro, start: Start, mlflow: MlflowClient) -> None:
    run_id, mlflow_id = start(LOST, **{tags.ADOPTED: "true"})
    assert kedro("status", run_id).ok().err == f"The exit task '{EXIT}' never ran.\n"
    assert status_in(mlflow, mlflow_id) == "RUNNING"


def test_a_status_that_is_not_true_is_not_overwritten_unasked(kedro: Kedro, start: Start, mlflow: MlflowClient) -> None:
    run_id, mlflow_id = start(replace(LOST, failing="double"))
    mlflow.set_terminated(mlflow_id, "FINISHED")
    said = kedro("status", run_id).ok().err
    assert said == (
        f"The exit task '{EXIT}' never ran: its MLflow run says FINISHED. To give it the status of the run: "
        f"kedro kubeflow status {run_id} --repair\n"
    )
    assert status_in(mlflow, mlflow_id) == "FINISHED"
    kedro("status", run_id, "--repair").ok()
    assert status_in(mlflow, mlflow_id) == "FAILED"


@pytest.mark.parametrize("command", ["status", "terminate"])
def test_where_mlflow_is_not_reached(
    demo: KedroProject, kedro: Kedro, start: Start, mlflow: MlflowClient, mlflow_server: MlflowServer, command: str
) -> None:
    run_id, mlflow_id = start(LOST)
    demo.conf("mlflow", {"server": {"mlflow_tracking_uri": "http://127.0.0.1:9"}})
    try:
        done = kedro(command, run_id).ok()
    finally:
        demo.conf("mlflow", {"server": {"mlflow_tracking_uri": mlflow_server.uri}})
    assert f"The exit task '{EXIT}' never ran, and its MLflow run may be left RUNNING: MLflow at " in done.err
    assert done.err.endswith(f"Once it can be asked: kedro kubeflow status {run_id} --repair\n")
    assert status_in(mlflow, mlflow_id) == "RUNNING"
