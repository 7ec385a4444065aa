"""The MLflow server goes away for a while, at any moment: nothing is lost, there is one run, and its status is right."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import MlflowServer, free_port
from kedro_project import KedroProject

from tracking.fragile import fragile_project
from tracking.gate import Gate
from tracking.pods import START, Pod, Pods, Starter
from tracking.test_faults import TRAIN, at_once, begun, is_complete, wide_project


@pytest.fixture(scope="module")
def door(mlflow_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gate, KedroProject]]:
    gate = Gate(mlflow_server.uri)
    yield gate, fragile_project(tmp_path_factory.mktemp("outage"), gate.uri)
    gate.shut()


@pytest.fixture
def gate(door: tuple[Gate, KedroProject]) -> Gate:
    """Open when a test begins."""
    door[0].shut()
    door[0].open()
    return door[0]


@pytest.fixture
def run(door: tuple[Gate, KedroProject], gate: Gate, starter: Starter, tmp_path: Path) -> Pods:
    """A run whose steps reach MLflow through the gate; MLflow's own pauses between its tries would grow to a minute."""
    quick = {"MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1", "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0"}
    return Pods(door[1], tmp_path / "run", starter, gate.uri, env=quick)


def test_away_while_a_node_logs_and_while_a_step_begins(gate: Gate, run: Pods, tmp_path: Path) -> None:
    begun(run)
    waits = tmp_path / "waits"
    training = run.pod(TRAIN, WAITS=str(waits)).until(waits)
    gate.shut()
    waits.unlink()
    time.sleep(1.5)
    assert training.code is None, training.text
    gate.open()
    training.ok()
    gate.shut()
    report = run.pod("report")
    time.sleep(1.5)
    assert report.code is None, report.text
    gate.open()
    report.ok()
    is_complete(run)


@pytest.mark.parametrize("task", [START, TRAIN])
def test_a_server_that_does_not_come_back_is_an_error_with_its_address(gate: Gate, run: Pods, task: str) -> None:
    gate.shut()
    since = time.monotonic()
    pod = run.pod(task, KEDRO_KUBEFLOW_MLFLOW_PATIENCE="0.5")
    assert pod.wait() == 5, pod.text
    assert time.monotonic() - since < 30
    assert "The MLflow server does not answer" in pod.text
    assert f"where: http://127.0.0.1:{gate.port}" in pod.text
    assert "cure:" in pod.text


def test_gone_for_good_while_a_node_runs(gate: Gate, run: Pods, tmp_path: Path) -> None:
    begun(run)
    waits = tmp_path / "waits"
    training = run.pod(TRAIN, WAITS=str(waits), MLFLOW_HTTP_REQUEST_MAX_RETRIES="1").until(waits)
    gate.shut()
    waits.unlink()
    assert training.wait(40) == 1
    assert "Failed to establish a new connection" in training.text
    gate.open()
    run.end("FAILED").red()
    assert run.run.info.status == "FAILED"
    assert run.tags["kubeflow_failed_node"] == "ns.train"


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_gone_for_good_with_mlflows_own_patience(
    door: tuple[Gate, KedroProject], gate: Gate, starter: Starter, tmp_path: Path
) -> None:
    """Four minutes, as the docs say, and not once more for the last words."""
    run = begun(Pods(door[1], tmp_path / "run", starter, gate.uri))
    waits = tmp_path / "waits"
    pod = run.pod(TRAIN, WAITS=str(waits)).until(waits)
    gate.shut()
    waits.unlink()
    since = time.monotonic()
    assert pod.wait(600) in (1, 5), pod.text
    assert 180 < time.monotonic() - since < 330, pod.text


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[MlflowServer]:
    made = MlflowServer(tmp_path / "server", free_port())
    made.folder.mkdir()
    made.start()
    yield made
    made.stop()


def away(server: MlflowServer, seconds: float = 20) -> None:
    """Stop the server now, start it on the same port when the time has passed."""
    server.stop()
    time.sleep(seconds)
    server.start()


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_twenty_seconds_away_at_every_task(own_server: MlflowServer, starter: Starter, tmp_path: Path) -> None:
    run = Pods(fragile_project(tmp_path / "project", own_server.uri), tmp_path / "run", starter, own_server.uri)

    def meanwhile(start: Callable[[], Pod]) -> Pod:
        with ThreadPoolExecutor(1) as pool:
            gone = pool.submit(away, own_server)
            time.sleep(1)
            pod = start()
            gone.result()
        return pod.ok()

    # The server itself may be slow to start.
    meanwhile(lambda: run.pod(START, KEDRO_KUBEFLOW_MLFLOW_PATIENCE="240"))
    run.read_start()
    meanwhile(lambda: run.pod("prepare"))
    waits = tmp_path / "waits"
    training = run.pod(TRAIN, WAITS=str(waits)).until(waits)
    with ThreadPoolExecutor(1) as pool:
        gone = pool.submit(away, own_server)
        time.sleep(5)
        waits.unlink()
        gone.result()
    training.ok()
    meanwhile(lambda: run.pod("report"))
    is_complete(run)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_twenty_seconds_away_under_eight_steps(own_server: MlflowServer, starter: Starter, tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:

        def later() -> None:
            time.sleep(8)
            away(own_server)

        gone = pool.submit(later)
        at_once(wide_project(tmp_path / "wide", own_server.uri), starter, own_server, tmp_path, again=4)
        gone.result()


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_twenty_seconds_away_while_a_step_fails(own_server: MlflowServer, starter: Starter, tmp_path: Path) -> None:
    run = begun(Pods(fragile_project(tmp_path / "project", own_server.uri), tmp_path / "run", starter, own_server.uri))
    waits = tmp_path / "waits"
    training = run.pod(TRAIN, WAITS=str(waits), KEDRO_KUBEFLOW_TEST_FAIL="no rows").until(waits)
    own_server.stop()
    waits.unlink()
    time.sleep(20)
    own_server.start()
    assert training.wait() == 1
    run.end("FAILED").red()
    assert run.run.info.status == "FAILED"
    assert run.tags["kubeflow_error"] == "ValueError: no rows"
