"""Pods that are killed, retried, terminated, late or at once: one run, nothing lost or doubled, the right status each time.

The pods are real processes of a real project, against a real MLflow server; what the cluster would do is done by hand.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import MlflowServer
from kedro_project import KedroProject, make_project

from tracking.fragile import PARAMS, TASKS
from tracking.pods import END, START, Pod, Pods, Starter

TRAIN = TASKS["train"]
New = Callable[..., Pods]

STAGES = ["before_node", "in_node", "in_save", "after_node"]


def begun(pods: Pods) -> Pods:
    """The run is started and the first step is through."""
    pods.start().ok()
    pods.pod("prepare").ok()
    return pods


def goes_on(pods: Pods) -> None:
    """From the training step to the end, as in a run that succeeds."""
    pods.pod(TRAIN).ok()
    pods.pod("report").ok()


def is_complete(pods: Pods) -> None:
    """Nothing is lost, nothing is there twice, and nothing speaks of a failure."""
    (run,) = pods.runs()
    assert run.info.run_id == pods.mlflow_run_id
    assert run.info.status == "FINISHED"
    assert run.info.run_name == pods.name
    assert run.data.params == PARAMS
    points = {key: _points(pods, key) for key in run.data.metrics}
    assert points == {
        "loss": Counter({(step, 1 / (step + 1)): 1 for step in range(5)}),
        "accuracy": Counter({(0, 0.75): 2}),
        "scores.score": Counter({(1, 0.5): 1}),
    }
    files = {file.path for folder in (None, "notes") for file in pods.client.list_artifacts(run.info.run_id, folder)}
    assert files == {"notes", "notes/rate.json", "page.html"}
    tags = run.data.tags
    assert tags["mine"] == "kept"
    assert tags["kubeflow_final_status"] == "FINISHED"
    assert tags["kubeflow_latest_node"] == "report"
    assert not {"kubeflow_failed_node", "kubeflow_error"} & set(tags)
    assert not [key for key in tags if key.startswith("kubeflow_step_error.")]
    states = {key: value.split(" ")[0] for key, value in tags.items() if key.startswith("kubeflow_step.")}
    assert states == dict.fromkeys(
        ("kubeflow_step.prepare", "kubeflow_step.ns.train", "kubeflow_step.report"), "succeeded"
    )
    assert pods.metrics_of(TRAIN) == {"loss": 0.2, "accuracy": 0.75, "scores.score": 0.5}


def _points(pods: Pods, key: str) -> Counter[tuple[int, float]]:
    history = pods.client.get_metric_history(pods.run.info.run_id, key)
    return Counter((point.step, point.value) for point in history)


def killed(pod: Pod) -> None:
    assert pod.wait() == -signal.SIGKILL, pod.text


def has_failed_at_the_node(pods: Pods) -> None:
    assert pods.run.info.status == "FAILED"
    assert pods.tags["kubeflow_failed_node"] == "ns.train"
    assert "without a word" in pods.tags["kubeflow_error"]
    assert "without a word" in pods.tags["kubeflow_step_error.ns.train"]


def killed_and_retried_by_hand(pods: Pods, stage: str) -> None:
    """The step is killed, the exit task closes the run; people press Retry twice, and the second time it goes well."""
    begun(pods)
    killed(pods.pod(TRAIN, FAULT=stage))
    assert pods.run.info.status == "RUNNING"
    pods.end("RUNNING").red()
    has_failed_at_the_node(pods)
    killed(pods.pod(TRAIN, FAULT=stage))
    # The exit task may not come again: nobody could correct a status that this pod has left behind.
    assert pods.run.info.status == "FAILED"
    goes_on(pods)
    is_complete(pods)


def test_a_step_killed_in_its_node(pods: New) -> None:
    killed_and_retried_by_hand(pods(), "in_node")


@pytest.mark.soak
@pytest.mark.parametrize("stage", STAGES)
def test_a_step_killed_at_any_stage(pods: New, stage: str) -> None:
    killed_and_retried_by_hand(pods(), stage)


@pytest.mark.soak
@pytest.mark.parametrize("stage", STAGES)
def test_a_step_killed_at_any_stage_and_retried_by_the_cluster(pods: New, stage: str) -> None:
    run = begun(pods())
    killed(run.pod(TRAIN, FAULT=stage))
    killed(run.pod(TRAIN, FAULT=stage))
    goes_on(run)
    run.end("COMPLETE").ok()
    is_complete(run)


def test_a_failure_and_its_retry(pods: New) -> None:
    run = begun(pods())
    failing = run.pod(TRAIN, KEDRO_KUBEFLOW_TEST_FAIL="no rows at postgresql://ann:hunter2@db/x")
    assert failing.wait() == 1, failing.text
    assert run.run.info.status == "RUNNING"
    assert run.step("ns.train").startswith("failed after")
    run.end("FAILED").red()
    assert run.run.info.status == "FAILED"
    assert run.tags["kubeflow_failed_node"] == "ns.train"
    assert run.tags["kubeflow_error"] == "ValueError: no rows at postgresql://[redacted]@db/x"
    assert "hunter2" not in str(run.tags)
    run.pod(TRAIN).ok()
    assert run.run.info.status == "FAILED", "the pipeline has not succeeded yet"
    assert "kubeflow_failed_node" not in run.tags
    run.pod("report").ok()
    is_complete(run)


def test_a_step_that_ends_after_the_exit_task(pods: New, tmp_path: Path) -> None:
    run = begun(pods())
    waits = tmp_path / "waits"
    late = run.pod(TRAIN, WAITS=str(waits)).until(waits)
    run.end("FAILED").red()
    assert run.run.info.status == "FAILED"
    waits.unlink()
    late.ok()
    assert run.run.info.status == "FAILED"
    assert run.step("ns.train").startswith("succeeded")


def test_a_pod_that_never_starts(pods: New) -> None:
    run = pods()
    run.start().ok()
    run.end("FAILED", error="ImagePullBackOff").red()
    assert run.run.info.status == "FAILED"
    assert run.tags["kubeflow_error"] == "ImagePullBackOff"


def test_the_exit_task_of_a_run_that_was_never_started(pods: New) -> None:
    run = pods()
    pod = run.end("FAILED").red()
    assert "it was never started" in " ".join(pod.text.split())
    assert run.runs() == []


def test_eight_steps_at_the_same_second(starter: Starter, mlflow_server: MlflowServer, tmp_path: Path) -> None:
    at_once(wide_project(tmp_path / "wide", mlflow_server.uri), starter, mlflow_server, tmp_path)


def at_once(project: KedroProject, starter: Starter, server: MlflowServer, tmp_path: Path, again: int = 1) -> Pods:
    run = Pods(project, tmp_path / "run", starter, server.uri)
    # A server that comes back may be slow to start.
    run.start(KEDRO_KUBEFLOW_MLFLOW_PATIENCE="240").ok()
    for _ in range(again):
        for pod in [run.pod(f"part-{n}") for n in range(8)]:
            pod.ok()
    run.end("COMPLETE").ok()
    (found,) = run.runs()
    assert found.info.status == "FINISHED"
    assert found.data.params == {"shared": "{'a': 1}", **{f"own_{n}": str(n) for n in range(8)}}
    assert Counter({key: _points(run, key) for key in found.data.metrics}) == {
        **{f"metric_{n}": Counter({(step, float(step)): 1 for step in range(10)}) for n in range(8)},
        "common": Counter({(n, float(n)): 1 for n in range(8)}),
    }
    files = {file.path for file in run.client.list_artifacts(found.info.run_id)}
    assert files == {f"part_{n}.json" for n in range(8)}
    steps = [value for key, value in found.data.tags.items() if key.startswith("kubeflow_step.")]
    assert len(steps) == 8
    assert all(step.startswith("succeeded") for step in steps)
    assert found.data.tags["kedro_command"].startswith("kedro run --pipelines=__default__")
    assert "node_names" not in found.data.tags
    return run


def wide_project(path: Path, server: str) -> KedroProject:
    """Eight nodes that wait for nothing and log side by side."""
    return make_project(
        path,
        pipelines="""
        import mlflow
        from kedro.pipeline import Pipeline, node

        def part(shared, own):
            for step in range(10):
                mlflow.log_metric(f"metric_{own}", step, step=step)
            mlflow.log_metric("common", own, step=own)
            mlflow.log_dict({"own": own}, f"part_{own}.json")
            return own

        def create_pipeline():
            names = ["params:shared", "params:own_{}"]
            return Pipeline([
                node(part, ["params:shared", f"params:own_{n}"], f"result_{n}", name=f"part_{n}") for n in range(8)
            ])
        """,
        catalog={},
        parameters={"shared": {"a": 1}, **{f"own_{n}": n for n in range(8)}},
        mlflow={"server": {"mlflow_tracking_uri": server}, "tracking": {"experiment": {"name": "wide"}}},
    )


@pytest.mark.soak
def test_eight_steps_at_the_same_second_by_their_own_command(mlflow_server: MlflowServer, tmp_path: Path) -> None:
    at_once(wide_project(tmp_path / "wide", mlflow_server.uri), Starter(fork=False), mlflow_server, tmp_path, again=2)


def test_two_start_tasks_at_the_same_second(pods: New) -> None:
    run = pods()
    first, second = run.pod(START), run.pod(START)
    assert {first.wait(), second.wait()} == {0}
    run.read_start()
    (made,) = run.runs()
    assert made.info.run_id == run.mlflow_run_id


def requests_until(run: Pods, task: str, **env: str) -> list[int]:
    """Kill a task's process at its first request to MLflow, then at its second, … until it gets through."""
    deaths = []
    for number in range(1, 200):
        when = "before" if number % 2 else "after"
        pod = run.pod(task, DIES_AT=str(number), DIES=when, **env)
        if pod.wait() != -signal.SIGKILL:
            pod.ok()
            return deaths
        deaths.append(number)
    raise AssertionError(f"{task} does not get through")


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_every_task_killed_at_every_request(pods: New) -> None:
    run = pods()
    deaths = {START: requests_until(run, START)}
    run.read_start()
    for task in TASKS.values():
        deaths[task] = requests_until(run, task)
    run.end("COMPLETE").ok()
    is_complete(run)
    assert all(len(numbers) >= 3 for numbers in deaths.values()), deaths
    print({task: len(numbers) for task, numbers in deaths.items()})


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_exit_task_killed_at_every_request(pods: New) -> None:
    run = begun(pods())
    assert run.pod(TRAIN, KEDRO_KUBEFLOW_TEST_FAIL="no").wait() == 1
    container = run.executor_input(END, "FAILED", "")
    assert container["inputs"]["parameterValues"]["status"] == {"state": "FAILED"}
    for number in range(1, 100):
        pod = run.pod(END, status="FAILED", DIES_AT=str(number), DIES="after")
        if pod.wait() == 0:
            break
    assert run.run.info.status == "FAILED"
    assert run.tags["kubeflow_final_status"] == "FAILED"
    assert len(run.runs()) == 1
    goes_on(run)
    is_complete(run)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_start_tasks_that_race_and_die(pods: New) -> None:
    """Twenty times: four start tasks at once, two of them killed at some request; whoever is left agrees on one run."""
    for turn in range(20):
        run = pods(name=f"race-{turn}")
        doomed = [run.pod(START, DIES_AT=str(4 + turn % 6 + n), DIES="after") for n in range(2)]
        whole = [run.pod(START) for _ in range(2)]
        threads = [threading.Thread(target=pod.wait) for pod in (*doomed, *whole)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [pod.code for pod in whole] == [0, 0], [pod.text for pod in whole]
        run.start().ok()
        assert [made.info.run_id for made in run.runs()] == [run.mlflow_run_id]
