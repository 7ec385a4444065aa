"""Code in a real MLflow server: one place for each digest, and a copy in a run."""

from __future__ import annotations

from conftest import MlflowServer
from mlflow import MlflowClient

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.code import STORE, fetch_code, log_code, store_code

DIGEST = "1f" * 32


def test_the_same_code_is_stored_once_and_comes_back(mlflow_server: MlflowServer) -> None:
    mlflow = MlflowClient(mlflow_server.uri)
    first = store_code(mlflow, b"\0code\xff", DIGEST)
    assert store_code(mlflow, b"\0code\xff", DIGEST) == first
    assert fetch_code(mlflow, first, DIGEST) == b"\0code\xff"
    experiment = mlflow.get_experiment_by_name(STORE)
    assert experiment is not None
    assert mlflow.get_run(first).data.tags[tags.CODE] == DIGEST
    own = mlflow.create_run(experiment.experiment_id).info.run_id
    log_code(mlflow, own, b"code", "2f" * 32)
    assert [f.path for f in mlflow.list_artifacts(own, "code")] == ["code/2f2f2f2f2f2f2f2f.tar.xz"]


def test_code_that_was_stored_by_half_is_not_found(mlflow_server: MlflowServer) -> None:
    mlflow = MlflowClient(mlflow_server.uri)
    digest = "3f" * 32
    half = mlflow.create_run(mlflow.create_experiment(f"{STORE}-other"), tags={tags.CODE: digest})
    assert half.info.status == "RUNNING"
    whole = store_code(mlflow, b"x", digest)
    assert whole != half.info.run_id
    mlflow.update_run(whole, status="RUNNING")
    assert store_code(mlflow, b"x", digest) != whole
