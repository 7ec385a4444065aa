"""A run that goes on from another takes over what that one's steps have logged, once."""

from __future__ import annotations

import json
import uuid

from conftest import MlflowServer
from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.experiment import experiment
from kedro_kubeflow.tracking.logged import StepLog
from kedro_kubeflow.tracking.results import artifact_places
from kedro_kubeflow.tracking.resumed import take_over


def test_parameters_metrics_and_addresses_of_steps_that_are_taken_over(mlflow_server: MlflowServer) -> None:
    mlflow = MlflowClient(mlflow_server.uri)
    place = experiment(mlflow, f"resumed-{uuid.uuid4()}")
    job = str(uuid.uuid4())
    logged = {
        tags.logged_key(tags.step_key("train")): json.dumps({"metrics": ["loss"], "params": ["rate"]}),
        tags.logged_key(tags.step_key("report")): json.dumps({"metrics": ["pages"], "params": ["title"]}),
        tags.sizes_key(tags.step_key("train")): json.dumps({"model": 12}),
        tags.artifact_key("model"): "s3://b/model",
        tags.artifact_key("pages"): "s3://b/pages",
    }
    old = mlflow.create_run(place, tags={tags.RUN_ID: job, tags.PIPELINE: "p", **logged}).info.run_id
    for step in range(150):
        mlflow.log_metric(old, "loss", 1 / (step + 1), step=step, timestamp=1000 + step)
    mlflow.log_metric(old, "pages", 3)
    mlflow.log_param(old, "rate", "0.5")
    mlflow.log_param(old, "title", "x")
    new = mlflow.create_run(place, tags={tags.NOTE: "[Kubeflow run x](https://k)"}).info.run_id
    for _ in range(2):
        take_over(mlflow, new, earlier=job, steps=["train"], datasets=["model"])
    run = mlflow.get_run(new)
    assert run.data.params == {"rate": "0.5"}
    assert set(run.data.metrics) == {"loss"}
    points = [(m.step, m.value, m.timestamp) for m in mlflow.get_metric_history(new, "loss")]
    assert points == [(m.step, m.value, m.timestamp) for m in mlflow.get_metric_history(old, "loss")]
    known = run.data.tags
    assert known[tags.RESUMED_FROM] == job
    assert json.loads(known[tags.TAKEN_OVER]) == ["train"]
    assert known[tags.RESUMED_MLFLOW] == old
    assert json.loads(known[tags.TAKEN_OVER_METRICS]) == ["loss"]
    assert json.loads(known[tags.TAKEN_OVER_PARAMS]) == ["rate"]
    assert known[tags.NOTE].split("\n\n") == [
        "[Kubeflow run x](https://k)",
        f"Goes on from `{job}`.",
        "Steps taken over: `train`",
        "Metrics taken over: `loss`",
        "Params taken over: `rate`",
    ]
    # Of what runs again nothing is said, as it may not come so far.
    assert artifact_places(mlflow, job, {"model": "train", "pages": "report"}) == {
        "model": ("s3://b/model", 12),
        "pages": ("s3://b/pages", None),
    }
    assert known[tags.artifact_key("model")] == "s3://b/model"
    assert tags.artifact_key("pages") not in known
    assert json.loads(known[tags.sizes_key(tags.step_key("train"))]) == {"model": 12}


def test_a_job_of_vertex_ai_is_known_by_its_name(mlflow_server: MlflowServer) -> None:
    mlflow = MlflowClient(mlflow_server.uri)
    place, job = experiment(mlflow, f"resumed-{uuid.uuid4()}"), f"demo-{uuid.uuid4()}"
    logged = {tags.logged_key(tags.step_key("train")): json.dumps({"metrics": ["loss"], "params": []})}
    known = {tags.VERTEX_RUN_ID: "987", tags.VERTEX_JOB_NAME: job, tags.PIPELINE: "p", **logged}
    old = mlflow.create_run(place, tags=known).info.run_id
    mlflow.log_metric(old, "loss", 0.5)
    new = mlflow.create_run(place).info.run_id
    take_over(mlflow, new, earlier=job, steps=["train"])
    assert mlflow.get_run(new).data.metrics == {"loss": 0.5}


def test_more_names_than_a_tag_takes(mlflow_server: MlflowServer) -> None:
    mlflow = MlflowClient(mlflow_server.uri)
    new = mlflow.create_run(experiment(mlflow, f"resumed-{uuid.uuid4()}")).info.run_id
    take_over(mlflow, new, earlier="unknown", steps=[f"a step with a long name {n}" for n in range(400)])
    kept = json.loads(mlflow.get_run(new).data.tags[tags.TAKEN_OVER])
    assert 100 < len(kept) < 400
    assert mlflow.get_run(new).data.tags[tags.NOTE].endswith(f", … ({len(kept)})")


def test_an_earlier_run_without_tracking_leaves_the_mark_alone(mlflow_server: MlflowServer) -> None:
    mlflow = MlflowClient(mlflow_server.uri)
    new = mlflow.create_run(experiment(mlflow, f"resumed-{uuid.uuid4()}")).info.run_id
    take_over(mlflow, new, earlier="unknown", steps=["train"])
    assert mlflow.get_run(new).data.tags[tags.RESUMED_FROM] == "unknown"


def test_a_step_that_has_logged_more_than_a_tag_takes(mlflow_server: MlflowServer) -> None:
    mlflow = MlflowClient(mlflow_server.uri)
    place, job = experiment(mlflow, f"resumed-{uuid.uuid4()}"), str(uuid.uuid4())
    log = StepLog("any")
    log.metrics = {f"validation_accuracy_of_the_fold_{n:03}": 1.0 for n in range(300)}
    log.params = {"rate"}
    texts, key = log.keys(tags.MAX_VALUE), tags.logged_key(tags.step_key("train"))
    assert len(texts) > 1
    assert all(len(text) <= tags.MAX_VALUE for text in texts)
    logged = {tags.numbered(key, n): text for n, text in enumerate(texts, 1)}
    old = mlflow.create_run(place, tags={tags.RUN_ID: job, tags.PIPELINE: "p", **logged}).info.run_id
    mlflow.log_batch(old, metrics=[Metric(name, 1.0, 1, 0) for name in log.metrics], params=[Param("rate", "2")])
    new = mlflow.create_run(place).info.run_id
    take_over(mlflow, new, earlier=job, steps=["train"])
    run = mlflow.get_run(new)
    assert run.data.metrics == log.metrics
    assert run.data.params == {"rate": "2"}
    assert {key: run.data.tags[key] for key in logged} == logged
    assert StepLog("any").keys(100) == []
