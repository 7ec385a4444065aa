"""Cached steps on this machine, with the one MLflow run: results are taken back, and the run is closed all the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conftest import MlflowServer
from kedro_project import KedroProject, make_project
from mlflow import MlflowClient
from mlflow.entities import Run

PIPELINE = """
from kedro.pipeline import Pipeline, node

def prepare(raw):
    return [2 * x for x in raw]

def train(rows, options):
    if options["fail"]:
        raise ValueError("asked to fail")
    return float(len(rows))

def tell(run):
    return run

def create_pipeline():
    return Pipeline([
        node(prepare, "raw", "rows", name="prepare", tags="cheap"),
        node(train, ["rows", "params:options"], "size", name="train", tags="cheap"),
    ])

def at_exit():
    return Pipeline([node(tell, "params:kubeflow_run", "told", name="tell")])
"""
REGISTRY = """
from demo.pipelines import main

def register_pipelines():
    return {"__default__": main.create_pipeline(), "at_exit": main.at_exit()}
"""
RUN_CONFIG: dict[str, Any] = {"image": "img:1", "cache": {"tag:cheap": True}}


def run(project: KedroProject, *words: str) -> tuple[dict[str, str], dict[str, Any]]:
    done = project.run_once(*words)
    facts: dict[str, Any] = done.facts
    return {step["step"]: step["state"] for step in facts["steps"]}, facts


def test_results_are_taken_back_and_the_mlflow_run_is_true(tmp_path: Path, mlflow_server: MlflowServer) -> None:
    project = make_project(
        tmp_path,
        pipelines=PIPELINE,
        registry=REGISTRY,
        catalog={
            "raw": {"type": "json.JSONDataset", "filepath": "data/raw.json"},
            "size": {"type": "kedro_mlflow.io.metrics.MlflowMetricDataset", "key": "size"},
            "told": {"type": "json.JSONDataset", "filepath": "data/told.json"},
        },
        parameters={"options": {"fail": False}},
        kubeflow={"run_config": RUN_CONFIG},
        mlflow={"server": {"mlflow_tracking_uri": mlflow_server.uri}},
        data={"data/raw.json": "[1, 2]"},
    )
    client = MlflowClient(mlflow_server.uri)

    def mlflow_run(facts: dict[str, Any]) -> Run:
        return client.get_run(facts["mlflow"]["run_id"])

    states, first = run(project)
    assert set(states.values()) == {"SUCCEEDED"}, first
    assert mlflow_run(first).data.tags["kubeflow_step.train"].startswith("succeeded"), "a cached step finds its run"

    states, second = run(project)
    assert states == {
        "mlflow-start-run": "SUCCEEDED",
        "prepare": "CACHED",
        "train": "CACHED",
        "mlflow-mark-success": "SUCCEEDED",
        "mlflow-end-run": "SUCCEEDED",
    }
    rows = Path(next(s for s in second["steps"] if s["step"] == "prepare")["outputs"]["rows"])
    assert rows.exists()
    assert first["folder"] in str(rows), "the result is the first run's"
    assert mlflow_run(second).info.status == "FINISHED"
    assert mlflow_run(second).info.run_id != mlflow_run(first).info.run_id

    project.conf("kubeflow", {"run_config": {**RUN_CONFIG, "on_exit_pipeline": "at_exit"}})
    states, third = run(project, "--param", "options.fail=true")
    assert states["prepare"] == "SUCCEEDED", "another configuration is another image on a cluster"
    assert (states["train"], states["mlflow-end-run"]) == ("FAILED", "SUCCEEDED")
    told = json.loads(Path(third["steps"][-1]["outputs"]["told"]).read_text())
    assert (told["status"], told["failed_steps"]) == ("failed", ["train"])
    assert told["mlflow_run_id"] == third["mlflow"]["run_id"]
    assert "asked to fail" in told["error"]
    ended = mlflow_run(third)
    assert ended.info.status == "FAILED"
    assert ended.data.tags["kubeflow_failed_node"] == "train"
    assert ended.data.tags["kubeflow_step.on-exit-pipeline"].startswith("succeeded")
