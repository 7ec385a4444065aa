"""What a run on the server has made, and another that goes on from it: told by logs, brought and asked for at the UI's server."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kfp_server import Answer, KfpServer, Options, Script

from cli.conftest import Kedro
from kedro_kubeflow.compiler import CompiledPipeline
from kedro_kubeflow.results.artifact import RunArtifact, line_of
from kedro_kubeflow.targets.kubeflow import connect
from kedro_kubeflow.targets.kubeflow.runs import RunRequest

PREFIX = "mlpipeline/v2/artifacts/demo/some-run"


@pytest.fixture
def server() -> Iterator[KfpServer]:
    """The UI's server, which hands the API on."""
    with KfpServer(Options(face="ui")) as running:
        yield running
    assert running.violations == []


def made(server: KfpServer, step: str, dataset: str) -> str:
    """What a step has stored; its log's last line."""
    uri = f"minio://{PREFIX}/{step}/uuid/{dataset}"
    server.objects.stored[f"minio/{PREFIX}/{step}/uuid/{dataset}/data.pkl"] = b"pickled"
    return line_of(RunArtifact(dataset=dataset, step=step, type="Dataset", uri=uri, filename="data.pkl", size=7)) + "\n"


@pytest.fixture
def failed(server: KfpServer, kedro: Kedro) -> str:
    """A run of the project in which `total` has failed, and a later one of somebody else's; the id of the first."""
    says = {"prepare": made(server, "prepare", "rows"), "double": made(server, "double", "doubled")}
    server.script(Script(failing="total", says=says))
    return str(kedro("run-once", "--wait-for-completion", "--output", "json").failed(1).json["run_id"])


@pytest.fixture
def somebody_elses(server: KfpServer, compiled: CompiledPipeline, failed: str) -> None:
    client = connect(server.url)
    client.runs.start(RunRequest(name="other", experiment=client.experiments.ensure("other", None), source=compiled))


@pytest.mark.usefixtures("somebody_elses")
def test_the_latest_is_the_projects_own(server: KfpServer, kedro: Kedro, failed: str) -> None:
    assert len(server.runs.runs) == 2
    assert kedro("status", "latest", "--output", "json").ok().json["run_id"] == failed
    assert "the log of total" in kedro("logs", "latest", "total").ok().out
    found = kedro("artifacts", "latest", "--output", "json").ok().json
    assert [(a["dataset"], a["step"], a["size"], bool(a["uri"])) for a in found] == [
        ("rows", "prepare", 7, True),
        ("doubled", "double", 7, True),
        ("report", "total", None, False),
    ]


def test_a_new_run_takes_over_by_importers(
    server: KfpServer, kedro: Kedro, failed: str, configure: Callable[..., None]
) -> None:
    asked = len(server.requests("GET /artifacts"))
    done = kedro("run-once", "--resume", "latest", "--output", "json").ok()
    assert f"Going on from {failed}: 2 steps taken over, 1 to run" in done.err
    # Each artifact was asked for before anything was submitted.
    assert len(server.requests("GET /artifacts")) == asked + 2
    spec = server.runs.runs[done.json["run_id"]]["pipeline_spec"]
    imported = {
        e["importer"]["artifactUri"]["constant"]
        for e in spec["deploymentSpec"]["executors"].values()
        if "importer" in e
    }
    assert imported == {f"minio://{PREFIX}/prepare/uuid/rows", f"minio://{PREFIX}/double/uuid/doubled"}
    again = kedro("artifacts", done.json["run_id"], "--output", "json").ok().json
    assert {a["dataset"]: a["taken_over_from"] for a in again} == {"rows": failed, "doubled": failed, "report": None}


def test_what_is_gone_is_made_again(server: KfpServer, kedro: Kedro, failed: str) -> None:
    del server.objects.stored[f"minio/{PREFIX}/double/uuid/doubled/data.pkl"]
    planned = kedro("plan", "--resume", failed, "--output", "json").ok().json
    assert planned["taken_over"] == ["prepare"]
    assert planned["reasons"] == {"double": "doubled is not to be found any more", "total": "did not succeed there"}


def test_a_download_that_is_interrupted_leaves_nothing(
    server: KfpServer, kedro: Kedro, failed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C comes when a part is there already."""
    server.objects.stored[f"minio/{PREFIX}/prepare/uuid/rows/data.pkl"] = bytes(500_000)
    server.objects.cuts = [100_000]
    answer, asked = server.objects.answer, []

    def answered(*args: Any, **kwargs: Any) -> Answer:
        asked.append(args)
        if len(asked) == 2:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)
        return answer(*args, **kwargs)

    monkeypatch.setattr(server.objects, "answer", answered)
    said = kedro("artifacts", failed, "rows", "--download", "-o", str(tmp_path / "out")).failed(130)
    assert f"Interrupted: nothing of 'rows' stands in {tmp_path / 'out'}." in said.err
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []
    monkeypatch.setattr(server.objects, "answer", answer)
    again = kedro("artifacts", failed, "rows", "--download", "-o", str(tmp_path / "out")).ok()
    assert Path(again.out.strip()).stat().st_size == 500_000


def test_another_pipeline_has_no_latest_run(kedro: Kedro, failed: str) -> None:
    said = kedro("run-once", "--resume", "latest", "--pipeline", "main").failed(6).err
    assert "There is no run of 'main' yet on the server" in said
