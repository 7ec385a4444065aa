"""A run that goes on from another takes over what that one's steps have logged, once."""

from __future__ import annotations

import json
import uuid

from conftest import MlflowServer
from mlflow import MlflowClient

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.experiment import experiment
from kedro_kubeflow.tracking.resumed import take_over


def test_parameters_metrics_and_addresses_of_steps_that_are_taken_over(mlflow_server: MlflowServer) -> None:
    mlflow = MlflowClient(mlflow_server.uri)
    place = experiment(mlflow, f"resumed-{uuid.uuid4()}")
    job = str(uuid.uuid4())
    logged = {
        tags.logged_key(tags.step_key("train")): json.dumps({"metrics": ["loss"], "params": ["rate"]}),
        tags.logged_key(tags.step_key("report")): json.dumps({"metrics": ["pages"], "params": ["title"]}),
        tags.artifact_key("model"): "s3://b/model",
    }
    old = mlflow.create_run(place, tags={tags.RUN_ID: job, tags.PIPELINE: "p", **logged}).info.run_id
    for step in range(150):
        mlflow.log_metric(old, "loss", 1 / (step + 1), step=step, timestamp=1000 + step)
    mlflow.log_metric(old, "pages", 3)
    mlflow.log_param(old, "rate", "0.5")
    mlflow.log_param(old, "title", "x")
    new = mlflow.create_run(place).info.run_id
    for _ in range(2):
        take_over(mlflow, new, earlier=job, steps=["train"])
    run = mlflow.get_run(new)
    assert run.data.params == {"rate": "0.5"}
    assert set(run.data.metrics) == {"loss"}
    points = [(m.step, m.value, m.timestamp) for m in mlflow.get_metric_history(new, "loss")]
    assert points == [(m.step, m.value, m.timestamp) for m in mlflow.get_metric_history(old, "loss")]
    known = run.data.tags
    assert known[tags.RESUMED_FROM] == job
    assert json.loads(known[tags.TAKEN_OVER]) == ["train"]
    assert known[tags.artifact_key("model")] == "s3://b/model"


def test_an_earlier_run_without_tracking_leaves_the_mark_alone(mlflow_server: MlflowServer) -> None:
    mlflow = MlflowClient(mlflow_server.uri)
    new = mlflow.create_run(experiment(mlflow, f"resumed-{uuid.uuid4()}")).info.run_id
    take_over(mlflow, new, earlier="unknown", steps=["train"])
    assert mlflow.get_run(new).data.tags[tags.RESUMED_FROM] == "unknown"
