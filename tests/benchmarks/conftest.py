from __future__ import annotations

from pathlib import Path

import pytest
from kedro_project import KedroProject


@pytest.fixture
def quickstart(tmp_path: Path) -> KedroProject:
    words = ("new", "--starter", "kubeflow-quickstart", "--name", "Penguins", "--telemetry", "no")
    KedroProject(tmp_path).kedro(*words, timeout=600).ok()
    return KedroProject(tmp_path / "penguins", package="penguins")
