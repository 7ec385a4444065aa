"""Steps that are told to end, that fail and are tried again, and runs that are retried: each end is told as it was."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import free_port

from tracking.fragile import TASKS
from tracking.kubeflow_stand_in import KubeflowStandIn, kubeflow_stand_in
from tracking.pods import END, Pod, Pods
from tracking.test_faults import begun, goes_on, is_complete

TRAIN = TASKS["train"]
New = Callable[..., Pods]


@pytest.fixture
def kubeflow() -> Iterator[KubeflowStandIn]:
    with kubeflow_stand_in() as made:
        made.states = ["PENDING", "RUNNING"]
        yield made


def training(run: Pods, kubeflow: KubeflowStandIn, tmp_path: Path) -> Pod:
    """The training step, in the middle of its node."""
    waits = tmp_path / "waits"
    return run.pod(TRAIN, WAITS=str(waits), **kubeflow.env).until(waits)


def test_a_step_of_a_run_that_somebody_ends_closes_it(pods: New, kubeflow: KubeflowStandIn, tmp_path: Path) -> None:
    run = begun(pods())
    pod = training(run, kubeflow, tmp_path)
    assert run.step("ns.train") == "running ns.train"
    kubeflow.states = ["PENDING", "RUNNING", "CANCELING"]
    pod.send(signal.SIGTERM)
    assert pod.wait() == 128 + signal.SIGTERM
    assert run.step("ns.train").startswith("terminated after")
    assert run.run.info.status == "KILLED", "the exit task may never come"
    assert run.tags["kubeflow_final_status"] == "KILLED"
    assert "kubeflow_failed_node" not in run.tags
    # By then the API says FAILED, and only its history what it was.
    kubeflow.states.append("FAILED")
    run.end("RUNNING", **kubeflow.env).red()
    assert run.run.info.status == "KILLED"
    assert "kubeflow_failed_node" not in run.tags


def test_a_step_that_was_told_to_end_by_nobody_has_failed(pods: New, kubeflow: KubeflowStandIn, tmp_path: Path) -> None:
    """A deadline, a timeout, an eviction: the same signal."""
    run = begun(pods())
    pod = training(run, kubeflow, tmp_path)
    pod.send(signal.SIGTERM)
    assert pod.wait() == 128 + signal.SIGTERM
    assert run.run.info.status == "RUNNING", "the cluster may make the pod anew"
    assert "told to end" in run.tags["kubeflow_step_error.ns.train"]
    kubeflow.states.append("FAILED")
    run.end("RUNNING", **kubeflow.env).red()
    assert run.run.info.status == "FAILED"
    assert run.tags["kubeflow_failed_node"] == "ns.train"
    assert "told to end (timeout, deadline, eviction or deletion)" in run.tags["kubeflow_error"]
    # A pod that was lost is made anew.
    kubeflow.states.append("RUNNING")
    goes_on(run)
    is_complete(run)


def test_a_node_that_hears_no_signal_is_spoken_for(pods: New, kubeflow: KubeflowStandIn, tmp_path: Path) -> None:
    run = begun(pods())
    computes = tmp_path / "computes"
    pod = run.pod(TRAIN, COMPUTES=str(computes), **kubeflow.env).until(computes)
    kubeflow.states = ["PENDING", "RUNNING", "CANCELING"]
    pod.send(signal.SIGTERM)
    deadline = time.monotonic() + 5
    while run.run.info.status != "KILLED":
        assert time.monotonic() < deadline, pod.text
        time.sleep(0.02)
    assert pod.code is None, "the node computes on"
    pod.send(signal.SIGKILL)
    assert pod.wait() == -signal.SIGKILL
    assert run.step("ns.train").endswith(": ns.train")


def test_a_node_that_fails_is_tried_again_in_its_pod(pods: New, tmp_path: Path) -> None:
    run = begun(pods())
    fails = tmp_path / "fails"
    fails.write_text("2")
    pod = run.pod(TRAIN, settings={"retry": [2, 0, 2, 0]}, FAILS=str(fails)).ok()
    assert "attempt 1 of 3 failed" in pod.text
    assert "attempt 2 of 3 failed" in pod.text
    run.pod("report").ok()
    is_complete(run)


def test_the_last_attempts_failure_is_the_steps(pods: New, kubeflow: KubeflowStandIn, tmp_path: Path) -> None:
    run = begun(pods())
    fails = tmp_path / "fails"
    fails.write_text("9")
    pod = run.pod(TRAIN, settings={"retry": [1, 0, 2, 0]}, FAILS=str(fails))
    assert pod.wait() == 1
    assert pod.text.count("step 'ns.train' failed") == 2
    assert run.tags["kubeflow_error"] == "ValueError: 8 times more"
    said = run.tags["kubeflow_step_error.ns.train"]
    assert "The node failed: ValueError: 8 times more" in said
    assert "where: node 'ns.train'" in said
    run.end("FAILED", **kubeflow.env).red()
    assert run.tags["kubeflow_failed_node"] == "ns.train"


def test_the_times_of_a_step(pods: New) -> None:
    run = begun(pods())
    times = json.loads(run.tags["kubeflow_times.prepare"])
    assert times["process"] <= times["begin"] <= times["end"]
    assert set(times["nodes"]) == {"prepare"}
    assert 0 <= times["nodes"]["prepare"] < times["end"] - times["process"]


def test_a_notification_that_cannot_be_sent_is_told_by_the_run(pods: New) -> None:
    """In the exit task's log, by its exit code and in MLflow; and taken back by an end at which all went well."""
    run = begun(pods())
    goes_on(run)
    gone = {"type": "webhook", "when": ["succeeded"], "url_env": "HOOK_URL"}
    secret = f"http://127.0.0.1:{free_port()}/services/t0ken"
    end = run.pod(END, status="COMPLETE", settings={"notifications": [gone]}, HOOK_URL=secret)
    assert end.wait() == 1
    said = "A notification to 127.0.0.1 is not taken: ConnectionRefusedError: Connection refused"
    assert said in end.text
    assert run.tags["kubeflow_exit_error"] == said
    assert run.run.info.status == "FINISHED"
    unset = run.pod(END, status="COMPLETE", settings={"notifications": [gone]})
    assert unset.wait() == 1
    assert "the environment variable HOOK_URL holds none" in run.tags["kubeflow_exit_error"]
    assert "t0ken" not in end.text + str(run.tags)
    run.pod(END, status="COMPLETE").ok()
    assert "kubeflow_exit_error" not in run.tags
