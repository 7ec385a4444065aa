"""KFP's own MLflow plugin, by what it puts into the environment of pods and the run that it makes."""

from __future__ import annotations

import json
import os
import uuid
from typing import Any

import pytest
from conftest import MlflowServer
from mlflow import MlflowClient

from kedro_kubeflow.errors import TrackingError
from kedro_kubeflow.tracking.kfp_native import CONFIG_ENV, drop_task_run, run_to_adopt


@pytest.fixture
def client(mlflow_server: MlflowServer) -> MlflowClient:
    return MlflowClient(mlflow_server.uri)


def parent_run(client: MlflowClient) -> tuple[str, str]:
    """A pipeline run's id, and the run that KFP has made for it."""
    job = str(uuid.uuid4())
    return job, client.create_run("0", tags={"kfp.pipeline_run_id": job}).info.run_id


def set_config(monkeypatch: pytest.MonkeyPatch, **config: Any) -> None:
    whole = {"endpoint": "http://mlflow.kubeflow:5000", "experimentId": "0", "authType": "kubernetes", **config}
    monkeypatch.setenv(CONFIG_ENV, json.dumps(whole))


@pytest.mark.parametrize("how", ["auto", "adopt"])
def test_the_run_that_the_configuration_names_is_adopted(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    job, run_id = parent_run(client)
    set_config(monkeypatch, parentRunId=run_id)
    run = run_to_adopt(client, how, job)
    assert run is not None
    assert run.info.run_id == run_id


def test_without_a_name_it_is_found_by_its_tag(client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    job, run_id = parent_run(client)
    set_config(monkeypatch, parentRunId="")
    run = run_to_adopt(client, "auto", job)
    assert run is not None
    assert run.info.run_id == run_id


def test_adopt_finds_it_without_a_configuration(client: MlflowClient) -> None:
    job, run_id = parent_run(client)
    run = run_to_adopt(client, "adopt", job)
    assert run is not None
    assert run.info.run_id == run_id


def test_it_is_ignored_where_that_is_wanted(client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    job, run_id = parent_run(client)
    set_config(monkeypatch, parentRunId=run_id)
    assert run_to_adopt(client, "ignore", job) is None


def test_without_the_plugin_there_is_nothing_to_adopt(client: MlflowClient) -> None:
    job, _ = parent_run(client)
    assert run_to_adopt(client, "auto", job) is None


@pytest.mark.parametrize("parent", ["0" * 32, ""])
def test_a_run_of_another_server(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch, parent: str, caplog: pytest.LogCaptureFixture
) -> None:
    set_config(monkeypatch, parentRunId=parent, endpoint="https://u:pw123@other.example.com")
    assert run_to_adopt(client, "auto", "some-job") is None
    assert "https://other.example.com" in caplog.text
    with pytest.raises(TrackingError) as caught:
        run_to_adopt(client, "adopt", "some-job")
    assert "https://other.example.com" in str(caught.value.where)
    assert "pw123" not in caplog.text + str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", "nonsense"])
def test_a_configuration_that_is_none(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(CONFIG_ENV, text)
    assert run_to_adopt(client, "auto", "some-job") is None
    assert "not a JSON object" in caplog.text


def test_the_tasks_own_run_is_dropped_and_the_address_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "nested")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "7")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:5000")
    drop_task_run()
    assert "MLFLOW_RUN_ID" not in os.environ
    assert os.environ["MLFLOW_EXPERIMENT_ID"] == "7"
    set_config(monkeypatch)
    drop_task_run()
    assert "MLFLOW_EXPERIMENT_ID" not in os.environ
    assert os.environ["MLFLOW_TRACKING_URI"] == "http://mlflow:5000"
