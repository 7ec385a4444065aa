from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import click.testing
import jsonschema
import kedro.framework.project
import pytest
from kedro_project import KUBEFLOW, KedroProject, make_project
from kfp_server import KfpServer
from kfp_server.fixtures import kubernetes_server, multi_user_server, server
from pydantic import TypeAdapter

from kedro_kubeflow.cli import kubeflow
from kedro_kubeflow.cli.schemas import RESULTS
from kedro_kubeflow.compiler import CompiledPipeline
from kedro_kubeflow.request import Request
from kedro_kubeflow.targets.base.prepare import prepare
from kedro_kubeflow.targets.kubeflow import connect

__all__ = ["kubernetes_server", "multi_user_server", "server"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    """One project a module, opened in this process: a process of its own for each command would take a minute."""
    return make_project(tmp_path_factory.mktemp("demo"), parameters={"limit": 4, "model": {"type": "tree", "depth": 3}})


@pytest.fixture(scope="module")
def compiled(demo: KedroProject) -> CompiledPipeline:
    """The project's pipeline, compiled once: what a test needs on the server before it begins."""
    demo.conf("kubeflow", KUBEFLOW)
    return prepare(Request(path=demo.path)).compiled


@pytest.fixture
def uploaded(server: KfpServer, compiled: CompiledPipeline) -> dict[str, str]:
    """The pipeline on the server, and its ids."""
    done = connect(server.url).uploads.upload(compiled)
    return {"pipeline_id": done.pipeline.id, "version_id": done.version.id, "version": done.version.name}


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    def ok(self) -> Outcome:
        assert self.code == 0, f"exit code {self.code}\n{self.out}{self.err}"
        return self

    def failed(self, code: int) -> Outcome:
        assert self.code == code, f"exit code {self.code}, not {code}\n{self.out}{self.err}"
        return self

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Kedro = Callable[..., Outcome]


@cache
def schema_of(command: str) -> jsonschema.protocols.Validator:
    """The schema of what a command prints; each JSON that a test here has printed is held against it."""
    return jsonschema.Draft202012Validator(TypeAdapter(RESULTS[command]).json_schema())


@pytest.fixture
def configure(demo: KedroProject, server: KfpServer) -> Callable[..., None]:
    """kubeflow.yml with the server's address, and what else a test wants there."""

    def write(run_config: dict[str, Any] | None = None, **keys: Any) -> None:
        demo.conf(
            "kubeflow", {"host": server.url, **keys, "run_config": {**KUBEFLOW["run_config"], **(run_config or {})}}
        )

    return write


@pytest.fixture
def kedro(
    demo: KedroProject, server: KfpServer, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> Kedro:
    """`kedro kubeflow …` in the project, which knows the server."""
    monkeypatch.chdir(demo.path)
    monkeypatch.setenv("COLUMNS", "200")
    configure()

    def run(command: str, *words: str) -> Outcome:
        result = click.testing.CliRunner().invoke(kubeflow, [command, *words], prog_name="kedro kubeflow")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        if "json" in words and result.stdout:
            form = "status --timeline" if "--timeline" in words else command
            schema_of(form).validate(json.loads(result.stdout))
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run
