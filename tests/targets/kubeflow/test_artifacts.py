"""Artifacts of a run come back through the UI's server: files, folders, with a login, after a break; or cleanly not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kfp_server import KfpServer, Options
from kfp_server.faults import NO_UPSTREAM

from kedro_kubeflow.contract import Artifact, StepCall
from kedro_kubeflow.errors import AuthError, KedroKubeflowError, ServerError
from kedro_kubeflow.results.artifact import Place, RunArtifact, line_of
from kedro_kubeflow.targets.kubeflow import connect
from kedro_kubeflow.targets.kubeflow.artifacts import Artifacts
from kedro_kubeflow.targets.kubeflow.connection import Patience
from targets.kubeflow.test_connection import Bearer

QUICK = Patience(connect=2, read=5, pauses=(0.01, 0.01))
BYTES = bytes(range(256)) * 4096
URI = "minio://mlpipeline/v2/artifacts/demo/run/prepare/uuid/rows"


@pytest.fixture
def ui() -> Iterator[KfpServer]:
    with KfpServer(Options(face="ui")) as running:
        running.objects.stored["minio/mlpipeline/v2/artifacts/demo/run/prepare/uuid/rows/data 1.pkl"] = BYTES
        yield running
    assert running.violations == []


def artifact(filename: str = "data 1.pkl") -> RunArtifact:
    return RunArtifact(dataset="rows", step="prepare", type="Dataset", uri=URI, filename=filename)


def artifacts(server: KfpServer, **more: object) -> Artifacts:
    return Artifacts(connect(server.url, patience=QUICK, **more).server)  # type: ignore[arg-type]


def nothing_in(folder: Path) -> bool:
    return not folder.exists() or list(folder.iterdir()) == []


def test_a_file_as_it_is(ui: KfpServer, tmp_path: Path) -> None:
    told: list[int] = []
    artifacts(ui).fetch(artifact(), tmp_path / "rows/data.pkl", told.append)
    assert (tmp_path / "rows/data.pkl").read_bytes() == BYTES
    assert sum(told) == len(BYTES)


def test_a_folder_with_its_files(ui: KfpServer, tmp_path: Path) -> None:
    ui.objects.stored["minio/mlpipeline/v2/artifacts/demo/run/prepare/uuid/rows/data 1.pkl/part/a.csv"] = b"1,2\n"
    del ui.objects.stored["minio/mlpipeline/v2/artifacts/demo/run/prepare/uuid/rows/data 1.pkl"]
    artifacts(ui).fetch(artifact(), tmp_path / "rows")
    assert (tmp_path / "rows/part/a.csv").read_bytes() == b"1,2\n"


@pytest.mark.parametrize("ranges", [True, False])
def test_a_break_is_gone_on_from_or_begun_anew(ui: KfpServer, tmp_path: Path, ranges: bool) -> None:
    ui.objects.ranges, ui.objects.cuts = ranges, [300_000, 200_000]
    told: list[int] = []
    artifacts(ui).fetch(artifact(), tmp_path / "rows.pkl", told.append)
    assert (tmp_path / "rows.pkl").read_bytes() == BYTES
    assert sum(told) == len(BYTES)
    asked = [r.headers.get("range") for r in ui.requests("GET /artifacts")]
    assert len(asked) == 3
    assert asked[0] is None
    assert all(asked[1:])


def test_what_breaks_off_again_and_again_leaves_nothing(ui: KfpServer, tmp_path: Path) -> None:
    ui.objects.cuts = [1000] * 10
    with pytest.raises(ServerError, match="broke off 4 times"):
        artifacts(ui).fetch(artifact(), tmp_path / "out/rows.pkl")
    assert nothing_in(tmp_path / "out")


def test_a_folder_that_breaks_off_leaves_nothing(ui: KfpServer, tmp_path: Path) -> None:
    key = "minio/mlpipeline/v2/artifacts/demo/run/prepare/uuid/rows/data 1.pkl"
    ui.objects.stored = {f"{key}/a": b"x" * 5000, f"{key}/b": BYTES}
    ui.objects.cuts = [500] * 10
    with pytest.raises(ServerError):
        artifacts(ui).fetch(artifact(), tmp_path / "out/rows")
    assert nothing_in(tmp_path / "out")


@pytest.mark.parametrize("refuses", ["401", "403", "login page", "redirect"])
def test_a_login_is_needed(ui: KfpServer, tmp_path: Path, refuses: str) -> None:
    ui.gate.tokens, ui.gate.refuses = {"good"}, refuses  # type: ignore[assignment]
    mine = artifacts(ui, credentials=Bearer("good"))
    mine.fetch(artifact(), tmp_path / "ok")
    assert (tmp_path / "ok").read_bytes() == BYTES
    with pytest.raises(AuthError):
        artifacts(ui, credentials=Bearer("bad")).fetch(artifact(), tmp_path / "out/no")
    assert nothing_in(tmp_path / "out")


def test_what_is_gone_and_a_server_that_is_away(ui: KfpServer, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="deleted, or never stored"):
        artifacts(ui).fetch(artifact("other.pkl"), tmp_path / "out/x")
    ui.faults.add("GET /artifacts", NO_UPSTREAM, times=9)
    with pytest.raises(KedroKubeflowError):
        artifacts(ui).fetch(artifact(), tmp_path / "out/x")
    assert nothing_in(tmp_path / "out")


def test_the_namespace_goes_along_where_users_are_kept_apart(tmp_path: Path) -> None:
    with KfpServer(Options(face="ui", multi_user=True)) as server:
        server.objects.stored["minio/mlpipeline/v2/artifacts/demo/run/prepare/uuid/rows/data 1.pkl"] = b"x"
        artifacts(server, namespace="team-a").fetch(artifact(), tmp_path / "x")
        assert dict(server.requests("GET /artifacts")[0].query) == {"namespace": "team-a"}


def test_without_the_ui_a_store_that_is_reached_from_here_is_asked(tmp_path: Path) -> None:
    with KfpServer() as api:
        with pytest.raises(ServerError, match="only the UI's server gives artifacts"):
            artifacts(api).fetch(artifact(), tmp_path / "x")
        (tmp_path / "store").write_bytes(b"mine")
        here = RunArtifact(dataset="rows", step="s", type="Dataset", uri=f"file://{tmp_path}/store")
        artifacts(api).fetch(here, tmp_path / "y")
        assert (tmp_path / "y").read_bytes() == b"mine"


def test_where_they_lie_is_told_by_mlflow_or_by_the_logs() -> None:
    outputs = (Artifact("rows", "rows", "memory", "data.pkl"), Artifact("more", "more", "file", "m.csv"))
    argv = StepCall(action="run", step="prepare", outputs=outputs).to_argv()
    container = {"command": argv[:4], "args": argv[4:]}
    spec = {
        "components": {"comp-prepare": {"executorLabel": "exec-prepare"}, "comp-other": {"executorLabel": "x"}},
        "deploymentSpec": {"executors": {"exec-prepare": {"container": container}}},
    }
    log = line_of(RunArtifact(dataset="more", step="prepare", type="Dataset", uri="s3://b/more", size=12))
    told = {"rows": Place("s3://b/rows", 7)}
    with KfpServer() as api:
        found = artifacts(api).located(spec, told, recorded=lambda: ["x"], logs=lambda: [log])
        assert [(a.dataset, a.uri, a.filename, a.size) for a in found] == [
            ("rows", "s3://b/rows", "data.pkl", 7),
            ("more", "s3://b/more", "m.csv", 12),
        ]
        record = "minio://mlpipeline/v2/artifacts/demo/r/prepare/u/more"
        found = artifacts(api).located(spec, told, recorded=lambda: [record], logs=list)
        assert found[1].uri == record
        assert artifacts(api).is_there(found[1]) is None
