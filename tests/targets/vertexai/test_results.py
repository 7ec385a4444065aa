"""Code goes along with a job, what it has made comes back, and another job goes on from it: all by Cloud Storage and importers.

Cloud Storage is a folder, both for the command (by fsspec) and for the containers (as /gcs).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.registry import _registry

pytest.importorskip("google.cloud.aiplatform_v1", reason="google-cloud-aiplatform is not installed")

import click.testing
from cli.conftest import Outcome, schema_of
from google.cloud.aiplatform_v1 import types
from google.protobuf import json_format
from kedro_project import KedroProject

from kedro_kubeflow.cli import kubeflow
from kedro_kubeflow.notebook import find_run
from targets.vertexai.conftest import SECTION
from targets.vertexai.containers import Containers
from targets.vertexai.vertex_server import STATES, Script, VertexServer

Kedro = Callable[..., Outcome]


@pytest.fixture
def bucket(project: KedroProject, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Cloud Storage."""
    root = project.path / "gcs-root/gcs"
    root.mkdir(parents=True, exist_ok=True)

    class CloudStorage(LocalFileSystem):
        protocol = ("gs", "gcs")

        @classmethod
        def _strip_protocol(cls, path: Any) -> str:
            text = str(path)
            return str(root / text[5:]).rstrip("/") if text.startswith("gs://") else text.rstrip("/")

    monkeypatch.setitem(_registry, "gs", CloudStorage)
    return root / "my-bucket"


@pytest.fixture
def jobs(project: KedroProject, server: VertexServer, bucket: Path) -> list[Containers]:
    """Every job that is submitted, run by containers of its own; the command waits for it."""
    made: list[Containers] = []
    server.script = Script(driven=True)

    def execute(job: Any) -> None:
        spec = json_format.MessageToDict(types.PipelineJob.pb(job).pipeline_spec)
        place = {"root": "gs://my-bucket/runs", "gcs": project.path / "gcs-root", "project": project.path}
        containers = Containers(job=job.name.rpartition("/")[2], spec=spec, env={"DO_NOT_TRACK": "1"}, **place)
        made.append(containers)
        end = containers.run()
        server.tell(job, containers.states, STATES[f"PIPELINE_STATE_{end}"], containers.outputs)

    server.on_submit = lambda job: threading.Thread(target=execute, args=(job,)).start()
    return made


@pytest.fixture
def kedro(
    project: KedroProject, server: VertexServer, jobs: list[Containers], monkeypatch: pytest.MonkeyPatch
) -> Kedro:
    run = {"image": "demo:1", "mlflow": {"enabled": False}}
    project.conf("kubeflow", {"vertexai": {**SECTION, "api_endpoint": server.url}, "run_config": run})
    project.write("data/01_raw/raw.json", "[1, 2]")
    monkeypatch.setenv("COLUMNS", "200")

    def command(*words: str) -> Outcome:
        result = click.testing.CliRunner().invoke(kubeflow, list(words), prog_name="kedro kubeflow")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        if "json" in words and result.stdout:
            schema_of(words[0]).validate(json.loads(result.stdout))
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return command


def test_code_results_and_going_on(
    kedro: Kedro, jobs: list[Containers], project: KedroProject, bucket: Path, tmp_path: Path
) -> None:
    nodes = next(p for p in (project.path / "src").rglob("__init__.py") if "def same(" in p.read_text())
    whole = nodes.read_text()
    project.conf("catalog", {"raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"}})
    nodes.write_text(whole.replace("lambda rows, limit: limit", "lambda rows, limit: 1 / 0"))
    failed = kedro("run-once", "--wait-for-completion", "--with-code").failed(1)
    assert "by Vertex AI Pipelines" in failed.err
    assert [p.name.endswith(".tar.xz") for p in (bucket / "runs/code").iterdir()] == [True]
    (first,) = jobs
    assert first.states["project-code-import"] == "SUCCEEDED"
    assert first.states["report"] == "FAILED", first.logs
    assert "ZeroDivisionError" in first.logs["report"]

    listed = kedro("artifacts", first.job, "--output", "json").ok().json
    assert [(a["dataset"], a["step"], bool(a["uri"])) for a in listed] == [
        ("rows", "prepare", True),
        ("model", "train", True),
        ("report", "report", False),
    ]
    assert all(a["size"] for a in listed[:2])
    assert listed[0]["uri"].startswith("gs://my-bucket/runs/123456789/")
    brought = (
        kedro("artifacts", first.job, "rows", "--download", "-o", str(tmp_path / "out"), "--output", "json").ok().json
    )
    assert Path(brought[0]["path"]).read_bytes()
    assert find_run(first.job, target="vertexai").load("model") == [1, 2]

    nodes.write_text(whole)
    planned = kedro("plan", "--resume", "latest", "--output", "json").ok().json
    assert planned["taken_over"] == ["prepare", "train"]
    done = kedro("run-once", "--wait-for-completion", "--with-code", "--resume", first.job).ok()
    assert f"Going on from {first.job}: 2 steps taken over, 1 to run" in done.err
    second = jobs[1]
    assert set(second.states) == {
        next(n for n in second.states if n.startswith("import-")),
        "project-code-import",
        "report",
    }
    assert set(second.states.values()) == {"SUCCEEDED"}, second.logs
    found = {a["dataset"]: a["taken_over_from"] for a in kedro("artifacts", second.job, "--output", "json").ok().json}
    assert found == {"rows": first.job, "model": first.job, "report": None}
    assert find_run("latest", target="vertexai").load("report") == 4
    assert find_run("latest", target="vertexai").load("rows") == [1, 2]


def test_a_store_that_does_not_take_it(kedro: Kedro, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_registry, "gs")
    said = kedro("run-once", "--with-code")
    assert said.code in (3, 6)
    assert "gs://my-bucket/runs/code" in said.err


def test_code_goes_along_with_a_schedule(
    kedro: Kedro, server: VertexServer, project: KedroProject, bucket: Path
) -> None:
    run = {"image": "demo:1", "mlflow": {"enabled": False}, "code": "travel"}
    project.conf("kubeflow", {"vertexai": {**SECTION, "api_endpoint": server.url}, "run_config": run})
    done = kedro("schedule", "-c", "0 4 * * *").ok()
    assert "The code of this folder goes along" in done.err
    (schedule,) = server.schedules.values()
    spec = json_format.MessageToDict(
        types.PipelineJob.pb(schedule.create_pipeline_job_request.pipeline_job).pipeline_spec
    )
    (imported,) = [e["importer"] for e in spec["deploymentSpec"]["executors"].values() if "importer" in e]
    name = imported["artifactUri"]["constant"].removeprefix("gs://my-bucket/runs/code/")
    assert (bucket / "runs/code" / name).is_file()
    assert ": unchanged" in kedro("schedule", "-c", "0 4 * * *").ok().out
