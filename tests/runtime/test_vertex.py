"""What the runtime does in Vertex AI's containers, and does not do anywhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.errors import StepError
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.vertex import add_host_aliases, job_of, settle_in

ALIASES = [["10.0.0.1", "mlflow.internal", "m"], ["::1", "me.local"]]
LINES = "10.0.0.1\tmlflow.internal m\n::1\tme.local\n"


def executor(output_file: str = "", **parameters: Any) -> Executor:
    message = {"inputs": {"parameterValues": parameters}, "outputs": {"outputFile": output_file}}
    return Executor(json.dumps(message))


@pytest.mark.parametrize("before", ["", "127.0.0.1\tlocalhost\n", "127.0.0.1\tlocalhost"])
def test_lines_are_added_once(tmp_path: Path, before: str) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(before)
    for _ in range(2):
        add_host_aliases(ALIASES, hosts)
    assert hosts.read_text() == (before and before.rstrip("\n") + "\n") + LINES


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="host aliases cannot be added") as caught:
        add_host_aliases(ALIASES, tmp_path / "missing" / "hosts")
    assert "let the image run as root" in str(caught.value.cure)


@pytest.mark.parametrize("there", [False, True])
def test_only_on_vertex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    hosts = tmp_path / "etc/hosts"
    hosts.parent.mkdir()
    hosts.write_text("")
    monkeypatch.setenv("KEDRO_KUBEFLOW_MOUNT_ROOT", str(tmp_path))
    if there:
        monkeypatch.setenv("CLOUD_ML_PROJECT_ID", "123")
    settle_in(StepCall(action="run", step="s", settings={"host_aliases": ALIASES}), executor())
    assert hosts.read_text() == (LINES if there else "")


def test_the_environment_that_kedro_vertexai_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("CLOUD_ML_PROJECT_ID", "123")
    monkeypatch.delenv("KEDRO_CONFIG_RUN_ID", raising=False)
    monkeypatch.setenv("KEDRO_CONFIG_JOB_NAME", "chosen by hand")
    settle_in(StepCall(action="run", step="s"), executor(**{"kubeflow-run-id": "42", "kubeflow-run-name": "demo-1"}))
    assert os.environ["KEDRO_CONFIG_RUN_ID"] == "42"
    assert os.environ["KEDRO_CONFIG_JOB_NAME"] == "chosen by hand"
    monkeypatch.delenv("KEDRO_CONFIG_RUN_ID")


@pytest.mark.parametrize(
    ("output_file", "job"),
    [
        ("/gcs/bucket/root/123456/demo-20260301-c0de/train_-987654321/executor_output.json", "demo-20260301-c0de"),
        ("/gcs/bucket/123456/demo/train_1/executor_output.json", "demo"),
        ("/gcs/bucket/root/2026/1/123456/demo/ns-train-b57befd9_-1/executor_output.json", "demo"),
        ("/minio/mlpipeline/v2/artifacts/demo/1a2b/train/3c4d/executor_output.json", None),
        ("/tmp/run/train/executor_output.json", None),
        ("", None),
    ],
)
def test_the_job_by_where_its_outputs_lie(output_file: str, job: str | None) -> None:
    assert job_of(executor(output_file)) == job
