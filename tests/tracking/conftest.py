"""What the tracking tests share: a starter of pods, and one project whose steps can be made to fail in every way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import MlflowServer
from kedro_project import KedroProject

from tracking.fragile import fragile_project
from tracking.pods import Pods, Starter


@pytest.fixture(scope="session")
def starter() -> Iterator[Starter]:
    made = Starter()
    yield made
    made.close()


@pytest.fixture(scope="session")
def fragile(tmp_path_factory: pytest.TempPathFactory, mlflow_server: MlflowServer) -> KedroProject:
    return fragile_project(tmp_path_factory.mktemp("fragile"), mlflow_server.uri)


@pytest.fixture
def pods(fragile: KedroProject, starter: Starter, mlflow_server: MlflowServer, tmp_path: Path) -> Callable[..., Pods]:
    """A new run of the fragile project, or of another one."""

    def make(project: KedroProject = fragile, name: str = "run", **more: Any) -> Pods:
        return Pods(project, tmp_path / name, starter, mlflow_server.uri, **more)

    return make
