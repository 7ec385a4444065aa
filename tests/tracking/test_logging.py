"""What user code, autologging, threads, other processes and kedro-mlflow's datasets log lands in the one run, and in KFP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import MlflowServer
from kedro_project import KedroProject, make_project

from tracking.pods import Pods, Starter

PIPELINE = """
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import mlflow
from kedro.pipeline import Pipeline, node

def threads(start):
    def log(n):
        mlflow.log_metric(f"thread_{n}", n)
        mlflow.log_param(f"thread_param_{n}", n)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(log, range(8)))
    return start

def process(start):
    code = "import mlflow; mlflow.log_metric('from_process', 7.0); mlflow.log_text('x', 'from_process.txt')"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code], check=True)
    return start

def autolog(start):
    import mlflow.sklearn
    from sklearn.linear_model import LinearRegression

    mlflow.sklearn.autolog(log_models=False)
    LinearRegression().fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
    mlflow.sklearn.autolog(disable=True)
    return start

def nested(start):
    for n in range(2):
        with mlflow.start_run(nested=True, run_name=f"child {n}"):
            mlflow.log_metric("child_metric", n)
    mlflow.log_metric("bad", float("nan"))
    mlflow.log_metrics({"several": 1.0, "more": 2})
    return start

def datasets(start):
    history = [{"step": n, "value": float(n)} for n in range(3)]
    return 0.5, [0.1, 0.2], {"loss": history}, "text"

def own_run(start):
    mlflow.set_experiment("a rival experiment")
    with mlflow.start_run(run_name="a rival", description="rival"):
        mlflow.log_metric("in_own_run", 1.0)
    mlflow.end_run()
    with mlflow.start_run(nested=True, run_name="a child"):
        mlflow.log_metric("in_child", 1.0)
    mlflow.end_run()
    mlflow.end_run()
    mlflow.log_metric("after_own_run", 2.0)
    return start

def create_pipeline():
    return Pipeline([
        node(threads, "params:start", "out_threads", name="threads"),
        node(process, "params:start", "out_process", name="process"),
        node(autolog, "params:start", "out_autolog", name="autolog"),
        node(nested, "params:start", "out_nested", name="nested"),
        node(datasets, "params:start", ["one", "several", "history", "text"], name="datasets"),
        node(own_run, "params:start", "out_own_run", name="own_run"),
    ])
"""
CATALOG = {
    "one": {"type": "kedro_mlflow.io.metrics.MlflowMetricDataset"},
    "several": {"type": "kedro_mlflow.io.metrics.MlflowMetricHistoryDataset"},
    "history": {"type": "kedro_mlflow.io.metrics.MlflowMetricsHistoryDataset"},
    "text": {
        "type": "kedro_mlflow.io.artifacts.MlflowArtifactDataset",
        "dataset": {"type": "text.TextDataset", "filepath": "data/text.txt"},
    },
}
EVERY = {"metrics_artifact": "all"}
Run = Callable[..., Pods]


def project_at(path: Path, server: str, **more: Any) -> KedroProject:
    mlflow = {"server": {"mlflow_tracking_uri": server}, "tracking": {"experiment": {"name": path.name}}}
    run = {"image": "img:1", "mlflow": EVERY}
    given = {
        "pipelines": PIPELINE,
        "parameters": {"start": 1},
        "mlflow": mlflow,
        "kubeflow": {"run_config": run},
        **more,
    }
    return make_project(path, **given)


@pytest.fixture(scope="module")
def with_plugin(tmp_path_factory: pytest.TempPathFactory, mlflow_server: MlflowServer) -> KedroProject:
    return project_at(tmp_path_factory.mktemp("with"), mlflow_server.uri, catalog=CATALOG)


@pytest.fixture(scope="module")
def without_plugin(tmp_path_factory: pytest.TempPathFactory, mlflow_server: MlflowServer) -> KedroProject:
    """kedro-mlflow is switched off, and MLflow alone asked for; its server is named by the environment."""
    project = project_at(
        tmp_path_factory.mktemp("without"),
        mlflow_server.uri,
        catalog={},
        mlflow=None,
        kubeflow={
            "run_config": {
                "image": "img:1",
                "experiment_name": "mlflow alone",
                "mlflow": {"enabled": True, "metrics_artifact": "all"},
            }
        },
    )
    project.environ["MLFLOW_TRACKING_URI"] = mlflow_server.uri
    return project


@pytest.fixture(params=["with", pytest.param("without", marks=pytest.mark.soak)])
def logged(
    request: pytest.FixtureRequest, starter: Starter, mlflow_server: MlflowServer, tmp_path: Path
) -> Callable[[str], Pods]:
    project: KedroProject = request.getfixturevalue(f"{request.param}_plugin")

    def log(step: str) -> Pods:
        run = Pods(project, tmp_path / "run", starter, mlflow_server.uri)
        run.start().ok()
        run.pod(step).ok()
        assert run.run.info.status == "RUNNING"
        return run

    return log


def test_threads(logged: Callable[[str], Pods]) -> None:
    run = logged("threads")
    (made,) = run.runs()
    assert made.data.metrics == {f"thread_{n}": float(n) for n in range(8)}
    assert {f"thread_param_{n}" for n in range(8)} <= set(made.data.params)
    assert run.metrics_of("threads") == made.data.metrics


@pytest.mark.soak
def test_other_processes(logged: Callable[[str], Pods]) -> None:
    from_processes(logged("process"))


def test_other_processes_without_kedro_mlflow(
    without_plugin: KedroProject, starter: Starter, mlflow_server: MlflowServer, tmp_path: Path
) -> None:
    run = Pods(without_plugin, tmp_path / "run", starter, mlflow_server.uri)
    run.start().ok()
    run.pod("process").ok()
    from_processes(run)


def from_processes(run: Pods) -> None:
    assert run.run.info.status == "RUNNING"
    (made,) = run.runs()
    assert made.data.metrics == {"from_process": 7.0}
    assert [file.path for file in run.client.list_artifacts(made.info.run_id)] == ["from_process.txt"]


def test_autologging(logged: Callable[[str], Pods]) -> None:
    run = logged("autolog")
    (made,) = run.runs()
    assert made.data.params["fit_intercept"] == "True"
    assert made.data.metrics["training_r2_score"] == 1.0
    assert made.info.run_name == run.name
    assert run.metrics_of("autolog")["training_r2_score"] == 1.0


def test_nested_runs_stay_nested(logged: Callable[[str], Pods]) -> None:
    run = logged("nested")
    own, *children = sorted(run.runs(), key=lambda made: "mlflow.parentRunId" in made.data.tags)
    assert own.info.run_id == run.mlflow_run_id
    assert {child.data.tags["mlflow.parentRunId"] for child in children} == {run.mlflow_run_id}
    assert [child.info.status for child in children] == ["FINISHED", "FINISHED"]
    assert "child_metric" not in own.data.metrics
    # KFP takes numbers that are finite, and hears of the run's own alone.
    assert run.metrics_of("nested") == {"several": 1.0, "more": 2.0}


@pytest.mark.parametrize(("project", "experiment"), [("with_plugin", None), ("without_plugin", "mlflow alone")])
def test_code_that_starts_and_ends_runs_of_its_own(
    request: pytest.FixtureRequest,
    project: str,
    experiment: str | None,
    starter: Starter,
    mlflow_server: MlflowServer,
    tmp_path: Path,
) -> None:
    run = Pods(request.getfixturevalue(project), tmp_path / "run", starter, mlflow_server.uri)
    run.start().ok()
    run.pod("own-run").ok()
    own, child = sorted(run.runs(), key=lambda made: "mlflow.parentRunId" in made.data.tags)
    assert own.info.run_id == run.mlflow_run_id
    assert own.info.status == "RUNNING"
    assert own.info.run_name == run.name
    assert "mlflow.note.content" not in own.data.tags
    assert own.data.metrics == {"in_own_run": 1.0, "after_own_run": 2.0}
    assert child.data.tags["mlflow.parentRunId"] == run.mlflow_run_id
    assert run.client.get_experiment(own.info.experiment_id).name == (experiment or run.project.path.name)
    run.end("COMPLETE").ok()
    assert run.run.info.status == "FINISHED"


def test_the_datasets_of_kedro_mlflow(
    with_plugin: KedroProject, starter: Starter, mlflow_server: MlflowServer, tmp_path: Path
) -> None:
    run = Pods(with_plugin, tmp_path / "run", starter, mlflow_server.uri)
    run.start().ok()
    run.pod("datasets").ok()
    (made,) = run.runs()
    assert made.data.metrics == {"one": 0.5, "several": 0.2, "history.loss": 2.0}
    assert len(run.client.get_metric_history(made.info.run_id, "history.loss")) == 3
    assert run.metrics_of("datasets") == made.data.metrics
    assert len(run.client.list_artifacts(made.info.run_id)) == 1
