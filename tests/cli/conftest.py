from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import click.testing
import kedro.framework.project
import pytest
from kedro_project import KUBEFLOW, KedroProject, make_project
from kfp_server import KfpServer
from kfp_server.fixtures import kubernetes_server, multi_user_server, server

from kedro_kubeflow.cli import COMMANDS, kubeflow
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.config.run_config import RunConfig

__all__ = ["kubernetes_server", "multi_user_server", "server"]

server_keys = pytest.mark.skipif("namespace" not in KubeflowConfig.model_fields, reason="kubeflow.yml has no such key")
auth_keys = pytest.mark.skipif("auth" not in KubeflowConfig.model_fields, reason="kubeflow.yml has no such key")
schedule_keys = pytest.mark.skipif("schedules" not in RunConfig.model_fields, reason="run_config has no such key")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KedroProject]:
    """One project a module, opened in this process: a process of its own for each command would take a minute."""
    before = list(sys.path)
    yield make_project(tmp_path_factory.mktemp("demo"), parameters={"limit": 4, "model": {"type": "tree", "depth": 3}})
    sys.path[:] = before
    for name in [m for m in sys.modules if m == "demo" or m.startswith("demo.")]:
        del sys.modules[name]


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


# The table of commands is the group's own; what is not in it yet is found by its name.
for _command in ("upload-pipeline", "list-pipelines", "runs", "status", "logs", "terminate", "retry", "ui", "schedule"):
    COMMANDS.setdefault(_command, f"kedro_kubeflow.cli.{_command.replace('-', '_')}:{_command.replace('-', '_')}")


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
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run
