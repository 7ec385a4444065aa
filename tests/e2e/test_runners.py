"""Kedro's runners inside a step: what failed is told, and everything is logged to the step's one MLflow run."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import MlflowServer
from kedro_project import KedroProject, Result, make_project
from mlflow import MlflowClient

PIPELINE = """
import dataclasses
import time
from pathlib import Path
from kedro.pipeline import Pipeline, node

def slow(raw):
    time.sleep(1)
    return raw

def quick(x):
    return x

@dataclasses.dataclass(frozen=True)
class Boom(Exception):
    text: str

def fail(raw):
    time.sleep(0.2)
    raise Boom("boom")

def endless(raw):
    Path("endless").touch()
    time.sleep(60)

def unstorable(raw):
    return {1, 2}

def measure(raw):
    return {"accuracy": 0.5, "nested": {"rows": len(raw)}}

def create_pipeline():
    return Pipeline([
        node(slow, "raw", "a", name="slow"),
        node(quick, "a", "b", name="after_slow"),
        node(BAD, name="bad"),
        node(measure, "raw", "metrics", name="measure"),
    ])
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/raw.json"},
    "a": {"type": "json.JSONDataset", "filepath": "data/a.json"},
    "broken": {"type": "json.JSONDataset", "filepath": "data/broken.json"},
    "result": {"type": "json.JSONDataset", "filepath": "data/result.json"},
    "metrics": {
        "type": "json.JSONDataset",
        "filepath": "data/metrics.json",
        "metadata": {"kubeflow": {"artifact_type": "Metrics"}},
    },
}


def project_with(path: Path, bad: str, runner: str) -> KedroProject:
    return make_project(
        path,
        pipelines=PIPELINE.replace("BAD", bad),
        catalog=CATALOG,
        parameters={},
        kubeflow={"run_config": {"image": "img:1", "grouping": {"by": "all", "runner": runner, "max_workers": 3}}},
        data={"data/raw.json": "[1, 2]", "data/broken.json": "{"},
    )


def run_step(project: KedroProject) -> Result:
    """The only step, as a pod would run it."""
    return project.python(*step_command(project))


def step_command(project: KedroProject) -> list[str]:
    """What the interpreter is given for the only step."""
    project.kubeflow("compile", "-o", "p.yaml").ok()
    spec = next(yaml.safe_load_all((project.path / "p.yaml").read_text()))
    container = spec["deploymentSpec"]["executors"]["exec-all"]["container"]
    kinds = spec["components"]["comp-all"]["outputDefinitions"]["artifacts"]
    made = {n: {"artifacts": [{"name": n, "uri": f"out/{n}", "type": k["artifactType"]}]} for n, k in kinds.items()}
    message = {"inputs": {}, "outputs": {"artifacts": made, "outputFile": "out.json"}}
    argv = [*container["command"], *container["args"]]
    return [*argv[1:-1], json.dumps(message)]


FAILED = ("fail, 'raw', 'result'", "The node failed: Boom:")
NOT_LOADED = ("quick, 'broken', 'result'", "Loading the dataset 'broken' failed: DatasetError")
NOT_SAVED = ("unstorable, 'raw', 'result'", "Saving the dataset 'result' failed: DatasetError")


@pytest.mark.parametrize(
    ("runner", "bad", "said"),
    [("thread", *FAILED), ("thread", *NOT_LOADED), ("thread", *NOT_SAVED), ("parallel", *NOT_SAVED)],
)
def test_an_error_is_told_by_its_node_while_others_run(tmp_path: Path, runner: str, bad: str, said: str) -> None:
    done = run_step(project_with(tmp_path, bad, runner))
    assert done.code == 1
    told = done.err[done.err.rindex("kedro-kubeflow: step 'all' failed") :]
    assert all(text in told for text in (said, "where: node 'bad'")), told


@pytest.mark.parametrize("runner", ["thread", "parallel"])
def test_numbers_and_results_that_nobody_reads_are_kept(tmp_path: Path, runner: str) -> None:
    project = project_with(tmp_path, "quick, 'raw', 'left_over'", runner)
    run_step(project).ok()
    answer = json.loads((project.path / "out.json").read_text())["artifacts"]
    assert answer["metrics"]["artifacts"][0]["metadata"] == {
        "display_name": "metrics",
        "accuracy": 0.5,
        "nested.rows": 2.0,
    }
    assert {p.name for p in (project.path / "out").glob("*/data.pkl")} == {"data.pkl"}
    assert {p.parent.name for p in (project.path / "out").glob("*/data.pkl")} == {"b", "left_over"}


@pytest.mark.parametrize("runner", ["thread", "parallel"])
def test_a_step_that_is_told_to_end_waits_for_nobody(tmp_path: Path, runner: str) -> None:
    project = project_with(tmp_path, "endless, 'raw', 'result'", runner)
    argv = step_command(project)
    step = subprocess.Popen([sys.executable, *argv], cwd=tmp_path, env=project.environment())
    try:
        while not (tmp_path / "endless").exists():
            assert step.poll() is None
            time.sleep(0.05)
        step.terminate()
        assert step.wait(10) == 128 + signal.SIGTERM
    finally:
        step.kill()


def test_processes_and_mlflow_are_refused_together(tmp_path: Path) -> None:
    project = project_with(tmp_path, "quick, 'raw', 'result'", "parallel")
    project.conf("mlflow", {"server": {"mlflow_tracking_uri": "http://mlflow.example.com"}})
    project.write("src/demo/settings.py", "")
    refused = project.kubeflow("compile").failed(2)
    assert "The parallel runner cannot log to the step's MLflow run" in refused.err
    assert "run_config.grouping.runner" in refused.err
    assert "choose `thread`" in refused.err


LOGGING = """
import time
import mlflow
from kedro.pipeline import Pipeline, node

def log(raw, name, wait):
    time.sleep(wait)
    mlflow.log_metric(f"{name}_metric", float(wait))
    return name

def first(raw): return log(raw, "first", 0.4)
def second(raw): return log(raw, "second", 0.2)
def third(a, b): return log(a, "third", 0.1)

def create_pipeline():
    return Pipeline([
        node(first, "raw", "a", name="first"),
        node(second, "raw", "b", name="second"),
        node(third, ["a", "b"], "c", name="third"),
    ])
"""


@pytest.mark.parametrize("with_plugin", [True, False], ids=["kedro-mlflow", "MLflow alone"])
def test_threads_log_to_the_one_run(tmp_path: Path, mlflow_server: MlflowServer, with_plugin: bool) -> None:
    uri, experiment = mlflow_server.uri, tmp_path.name
    mlflow: dict[str, Any] = {
        "server": {"mlflow_tracking_uri": uri},
        "tracking": {"experiment": {"name": experiment}},
    }
    project = make_project(
        tmp_path,
        pipelines=LOGGING,
        parameters={},
        mlflow=mlflow if with_plugin else None,
        kubeflow={
            "run_config": {
                "image": "img:1",
                "grouping": {"by": "all", "runner": "thread"},
                "mlflow": {"enabled": "auto" if with_plugin else True, "close_run": "last_task"},
            }
        },
    )
    environ = {} if with_plugin else {"MLFLOW_TRACKING_URI": uri, "MLFLOW_EXPERIMENT_NAME": experiment}
    project.run_once(env=environ).ok()
    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment)
    (run,) = client.search_runs([found.experiment_id])
    assert run.data.metrics == {"first_metric": 0.4, "second_metric": 0.2, "third_metric": 0.1}
    assert run.info.status == "FINISHED"
    assert run.data.tags["kubeflow_step.all"].startswith("succeeded")
