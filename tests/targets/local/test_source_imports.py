from __future__ import annotations

from pathlib import Path

from kedro_kubeflow.targets.local.source_imports import source_imports, store_imports

NODES = """
from __future__ import annotations
import json, os.path as p
from typing import TYPE_CHECKING
import pandas as pd
from . import other
from demo.other import thing
from kedro.pipeline import node
if TYPE_CHECKING:
    import torch
else:
    import numpy
try:
    import cupy
except ImportError:
    cupy = None

def train():
    from sklearn.ensemble import RandomForestRegressor
    import pandas
"""


def test_what_the_source_says(tmp_path: Path) -> None:
    package = tmp_path / "src" / "demo"
    package.mkdir(parents=True)
    (package / "nodes.py").write_text(NODES)
    (package / "__main__.py").write_text("import click\n")
    (package / "broken.py").write_text("import (\n")
    assert source_imports(tmp_path) == [
        "__future__",
        "json",
        "os.path",
        "typing",
        "pandas",
        "numpy",
        "sklearn.ensemble",
    ]


def test_of_a_project_whose_code_is_elsewhere(tmp_path: Path) -> None:
    assert source_imports(tmp_path) == []


def test_the_store_of_a_database(tmp_path: Path) -> None:
    file = tmp_path / "conf" / "base" / "mlflow.yml"
    file.parent.mkdir(parents=True)
    file.write_text("server:\n  mlflow_tracking_uri: http://mlflow  # no sqlite: here\n")
    assert store_imports(tmp_path) == []
    file.write_text("server:\n  mlflow_tracking_uri: sqlite:///mlflow.db\n")
    assert store_imports(tmp_path) == ["mlflow.store.tracking.sqlalchemy_store"]
