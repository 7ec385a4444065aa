"""One MLflow run a pipeline run, against a real server with real kedro-mlflow."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import MlflowServer
from kedro_project import KedroProject, Result, make_project
from mlflow import MlflowClient
from mlflow.entities import Run

PIPELINE = """
import os
import time
from pathlib import Path
from kedro.pipeline import Pipeline, node

def prepare(raw, limit, options):
    return [x for x in raw if x < limit]

def train(rows, options):
    if options["fail"] == "train":
        raise ValueError("the training data is empty")
    if options["fail"] == "kill":
        os.kill(os.getpid(), 9)
    if options["fail"] == "wait":
        Path("waiting").touch()
        time.sleep(60)
    return sum(rows), float(len(rows))

def report(model, options):
    return f"<p>{model}</p>"

def create_pipeline():
    return Pipeline([
        node(prepare, ["raw", "params:limit", "params:options"], "rows", name="prepare"),
        node(train, ["rows", "params:options"], ["model", "size"], name="ns_train"),
        node(report, ["model", "params:options"], "page", name="report"),
    ])
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"},
    "size": {"type": "kedro_mlflow.io.metrics.MlflowMetricDataset", "key": "size"},
    "page": {
        "type": "kedro_mlflow.io.artifacts.MlflowArtifactDataset",
        "dataset": {"type": "text.TextDataset", "filepath": "data/08/page.html"},
    },
    "unrelated": {"type": "no_such_library.NoDataset", "filepath": "x"},
}


@pytest.fixture
def project_with(tmp_path: Path, mlflow_server: MlflowServer) -> Callable[..., KedroProject]:
    def make(fail: str = "", **more: Any) -> KedroProject:
        mlflow = {
            "server": {"mlflow_tracking_uri": mlflow_server.uri},
            "tracking": {"experiment": {"name": tmp_path.name}, **more.pop("tracking", {})},
        }
        return make_project(
            tmp_path,
            pipelines=PIPELINE,
            catalog=CATALOG,
            parameters={"limit": 4, "options": {"fail": fail, "lr": 0.5}},
            mlflow=mlflow,
            **more,
        )

    return make


@pytest.fixture
def runs(tmp_path: Path, mlflow_server: MlflowServer) -> Callable[[], list[Run]]:
    client = MlflowClient(mlflow_server.uri)

    def search() -> list[Run]:
        experiment = client.get_experiment_by_name(tmp_path.name)
        return list(client.search_runs([experiment.experiment_id])) if experiment else []

    return search


def local_run(project: KedroProject, *more: str) -> Result:
    return project.kedro("kubeflow", "run-once", "--local", "--isolated", *more)


def steps_in(tags: dict[str, str]) -> dict[str, str]:
    prefix = "kubeflow_step."
    return {k.removeprefix(prefix): v.split(" ")[0] for k, v in tags.items() if k.startswith(prefix)}


def test_everything_lands_in_one_finished_run(
    project_with: Callable[..., KedroProject], runs: Callable[[], list[Run]], mlflow_server: MlflowServer
) -> None:
    project = project_with(kubeflow={"host": "https://kf.example.com/pipeline", "run_config": {"image": "img:1"}})
    done = local_run(project, "--output", "json", "--params", "limit=3").ok()
    facts = json.loads(done.out[done.out.index("\n{") :])
    (run,) = runs()
    tags = run.data.tags
    assert run.info.status == "FINISHED"
    assert facts["mlflow"] == {
        "run_id": run.info.run_id,
        "experiment_id": run.info.experiment_id,
        "status": "FINISHED",
        "tracking_uri": mlflow_server.uri,
    }
    assert run.data.params == {"limit": "3", "options": "{'fail': '', 'lr': 0.5}"}
    assert run.data.metrics == {"size": 2.0}
    assert [a.path for a in MlflowClient(mlflow_server.uri).list_artifacts(run.info.run_id)] == ["page.html"]
    assert tags["kubeflow_run_id"] == facts["run_id"]
    # There is no page of a run on this machine.
    assert "kubeflow_run_url" not in tags
    assert tags["kubeflow_pipeline"] == "__default__"
    assert tags["kubeflow_image"] == "img:1"
    assert tags["kubeflow_latest_node"] == "report"
    assert tags["kubeflow_final_status"] == "FINISHED"
    assert steps_in(tags) == dict.fromkeys(["prepare", "ns_train", "report"], "succeeded")
    assert "kubeflow_failed_node" not in tags
    assert facts["steps"][0]["step"] == "mlflow-start-run"
    assert run.info.run_id in done.err
    _the_way_back_is_there(Path(facts["folder"]), run, mlflow_server)


def _the_way_back_is_there(folder: Path, run: Run, server: MlflowServer) -> None:
    (link,) = folder.rglob("mlflow-start-run/mlflow-run")
    assert f"{server.uri}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}" in link.read_text()
    (record,) = folder.rglob("ns-train/executor_output.json")
    logged = json.loads(record.read_text())["artifacts"]["mlflow-metrics"]["artifacts"][0]["metadata"]
    assert logged == {"size": 2.0, "display_name": "MLflow metrics"}


def test_a_failing_node_fails_the_run_and_is_named(
    project_with: Callable[..., KedroProject], runs: Callable[[], list[Run]]
) -> None:
    done = local_run(project_with("train"))
    assert done.code == 1
    (run,) = runs()
    assert run.info.status == "FAILED"
    assert run.data.tags["kubeflow_failed_node"] == "ns_train"
    assert run.data.tags["kubeflow_error"] == "ValueError: the training data is empty"
    assert run.data.tags["kubeflow_latest_node"] == "ns_train"
    assert steps_in(run.data.tags) == {"prepare": "succeeded", "ns_train": "failed"}
    assert "The step 'ns_train' failed. The end of its log:" in done.err
    assert "The node failed: ValueError: the training data is empty" in done.err
    assert "report: skipped" in done.err
    assert "status: FAILED" in done.err


def test_a_killed_step_leaves_a_failed_run(
    project_with: Callable[..., KedroProject], runs: Callable[[], list[Run]]
) -> None:
    assert local_run(project_with("kill")).code == 1
    (run,) = runs()
    assert run.info.status == "FAILED"
    assert run.data.tags["kubeflow_failed_node"] == "ns_train"
    assert "killed" in run.data.tags["kubeflow_error"] or "failed" in run.data.tags["kubeflow_error"]
    assert steps_in(run.data.tags)["ns_train"] == "failed"


@pytest.mark.parametrize("fail", ["", "train", "kill"])
def test_with_a_last_task_the_graph_is_flat_and_the_status_as_true(
    project_with: Callable[..., KedroProject], runs: Callable[[], list[Run]], fail: str
) -> None:
    project = project_with(fail, kubeflow={"run_config": {"image": "img:1", "mlflow": {"close_run": "last_task"}}})
    done = local_run(project)
    (run,) = runs()
    assert (done.code, run.info.status) == ((0, "FINISHED") if not fail else (1, "FAILED"))
    assert "mlflow-end-run" not in done.err


def test_ctrl_c_leaves_no_process_and_no_running_run(
    project_with: Callable[..., KedroProject], runs: Callable[[], list[Run]]
) -> None:
    project = project_with("wait")
    with _started(project) as process:
        _wait_for(lambda: project.holds("waiting"), process)
        os.killpg(process.pid, signal.SIGINT)
        _, printed = process.communicate(timeout=60)
    assert process.returncode == 130, printed
    assert "The run was interrupted; no process of it is left." in printed
    assert _processes_of(project) == []
    (run,) = runs()
    assert run.info.status == "KILLED"
    assert run.data.tags["kubeflow_final_status"] == "KILLED"


def test_a_killed_command_leaves_no_process(project_with: Callable[..., KedroProject]) -> None:
    project = project_with("wait")
    with _started(project) as process:
        _wait_for(lambda: project.holds("waiting"), process)
        process.kill()
        process.communicate(timeout=20)
    _wait_for(lambda: not _processes_of(project), None)


def test_a_pipeline_that_is_not_tracked_has_no_such_step(
    project_with: Callable[..., KedroProject], runs: Callable[[], list[Run]]
) -> None:
    project = project_with(tracking={"disable_tracking": {"pipelines": ["__default__"]}})
    printed = project.kedro("kubeflow", "compile", "-o", "-").ok().out
    assert "mlflow" not in printed[printed.index("# PIPELINE DEFINITION") :]
    assert runs() == []


def _started(project: KedroProject) -> Any:
    return subprocess.Popen(
        [sys.executable, "-m", "kedro", "kubeflow", "run-once", "--local", "--isolated"],
        cwd=project.path,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait_for(condition: Callable[[], bool], process: Any) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.1)


def _processes_of(project: KedroProject) -> list[int]:
    """The processes that work in the project or on one of its runs."""
    found = []
    for entry in _proc():
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace")
            if "kedro_kubeflow" in words and (entry / "cwd").resolve().is_relative_to(project.path):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _proc() -> Iterator[Path]:
    return (p for p in Path("/proc").iterdir() if p.name.isdigit())


def test_off_is_off(project_with: Callable[..., KedroProject], tmp_path: Path) -> None:
    """kedro-mlflow is there, and mlflow.yml has an address: nobody calls there, and datasets of kedro-mlflow are no reason to."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        nobody.listen()
        nobody.settimeout(0.1)
        off = {"run_config": {"image": "img:1", "mlflow": {"enabled": False}, "on_exit_pipeline": "__default__"}}
        project = project_with(kubeflow=off)
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        project.conf("mlflow", {"server": {"mlflow_tracking_uri": address}})
        facts = json.loads(local_run(project, "--output", "json").ok().out.partition("\n{")[2].join(["{", ""]))
        assert facts["state"] == "SUCCEEDED"
        assert [s["step"] for s in facts["steps"]] == ["prepare", "ns_train", "report", "on-exit-pipeline"]
        assert {s["state"] for s in facts["steps"]} == {"SUCCEEDED"}
        with pytest.raises(TimeoutError):
            nobody.accept()
    assert facts["mlflow"] == {}
    assert not {*tmp_path.rglob("mlruns"), *tmp_path.rglob("mlflow.db")}
