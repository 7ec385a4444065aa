"""Datasets that keep their data where no catalog's `filepath` says: they cross, or it is said before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kedro_project import KedroProject, make_project

PIPELINE = """
import json
from pathlib import Path
from kedro.io import AbstractDataset
from kedro.pipeline import Pipeline, node

class Own(AbstractDataset):
    def load(self): return json.loads(self._file.read_text())
    def save(self, data):
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(data))
    def _describe(self): return {}

class InFolder(Own):
    def __init__(self, folder="data/06/arrays", suffix=".json"): self._file = Path(folder) / f"all{suffix}"

class Index(Own):
    def __init__(self, dimension, index_path): self._file = Path(index_path)

class Odd(Own):
    def __init__(self, where: Path): self._file = Path(where)

class Told(Own):
    def __init__(self, name, metadata=None): self._file = Path(name)

class Hidden(Own):
    def __init__(self, name): self._file = Path("data") / name

def write(raw): return raw, raw, raw, raw, raw
def read(*data): return list(data)

def create_pipeline():
    return Pipeline([
        node(write, "raw", ["in_folder", "named_folder", "index", "odd", "told"], name="write"),
        node(read, ["in_folder", "named_folder", "index", "odd", "told"], "report", name="read"),
    ])
"""
REGISTRY = """
from kedro.framework.project import find_pipelines

def register_pipelines():
    pipelines = find_pipelines(raise_errors=True)
    pipelines["__default__"] = pipelines["main"]
    return pipelines
"""
OWN = "demo.pipelines.main"
CATALOG: dict[str, Any] = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"},
    "in_folder": {"type": f"{OWN}.InFolder"},
    "named_folder": {"type": f"{OWN}.InFolder", "folder": "data/06/named"},
    "index": {"type": f"{OWN}.Index", "dimension": 4, "index_path": "data/06/index.faiss"},
    "odd": {"type": f"{OWN}.Odd", "where": "data/odd.json"},
    "told": {"type": f"{OWN}.Told", "name": "told", "metadata": {"kubeflow": {"path_key": "name"}}},
    "report": {"type": "json.JSONDataset", "filepath": "data/08/report.json"},
}
STALE = dict.fromkeys(("data/06/arrays/all.json", "data/06/named/all.json", "data/odd.json", "data/x"), '"stale"')


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    data = {"data/01_raw/raw.json": "[1, 2]", **STALE}
    made = make_project(
        tmp_path_factory.mktemp("places"),
        pipelines=PIPELINE,
        catalog=CATALOG,
        parameters={},
        data=data,
        registry=REGISTRY,
    )
    made.conf("kubeflow", {"run_config": {"image": "x:1", "grouping": "all"}}, env="one")
    return made


def test_they_cross(project: KedroProject) -> None:
    done = project.run_once().ok()
    steps = done.facts["steps"]
    assert json.loads(Path(steps[-1]["outputs"]["report"]).read_text()) == [[1, 2]] * 5


def test_what_cannot_be_told_stops_everything_unless_the_nodes_share_a_step(project: KedroProject) -> None:
    hidden = {**CATALOG, "odd": {"type": f"{OWN}.Hidden", "name": "x"}}
    for env in ("hidden", "one"):
        project.conf("catalog", hidden, env=env)
    for command in (["compile", "-o", "-"], ["run-once", "--local"]):
        done = project.kubeflow(*command, "-e", "hidden").failed(2)
        assert "'write' writes 'odd' and 'read' reads it, and it cannot be told whether it lies on the disk" in done.err
        assert "nothing in its configuration says where it lies" in done.err
        assert "demo.pipelines.main.Hidden must take an argument `metadata`" in done.err
    project.kubeflow("compile", "-o", "-", "-e", "one").ok()
    reached = {**CATALOG, "odd": {"type": f"{OWN}.Told", "name": "x", "metadata": {"kubeflow": {"remote": True}}}}
    project.conf("catalog", reached, env="reached")
    project.kubeflow("compile", "-o", "-", "-e", "reached").ok()
    found = json.loads(project.kubeflow("check", "-e", "one", "--output", "json").out)["findings"]
    assert "place-unknown" not in {finding["id"] for finding in found}


def test_a_store_that_two_steps_open_stops_everything_unless_they_share_one(project: KedroProject) -> None:
    """Who loads it is given a handle, and changes by it what another would read."""
    store = {"type": "faiss.FAISSVectorStoreDataset", "dimension": 2, "index_path": "data/06/index.faiss"}
    nodes = """
    from kedro.pipeline import Pipeline, node
    def fill(store, raw): return True
    def ask(store, filled): return filled
    def create_pipeline():
        return Pipeline([
            node(fill, ["store", "raw"], "filled", name="fill"),
            node(ask, ["store", "filled"], "report", name="ask"),
        ])
    """
    project.write("src/demo/pipelines/search/__init__.py", nodes)
    for env in ("store", "one"):
        project.conf("catalog", {**CATALOG, "store": store}, env=env)
    done = project.kubeflow("compile", "-o", "-", "-p", "search", "-e", "store").failed(2)
    assert "'fill' and 'ask' both open 'store' where it lies" in done.err
    project.kubeflow("compile", "-o", "-", "-p", "search", "-e", "one").ok()


def test_a_database_in_a_file_between_two_steps_stops_everything(project: KedroProject) -> None:
    table = {"type": "pandas.SQLTableDataset", "table_name": "t", "credentials": "db"}
    project.conf("catalog", {**CATALOG, "odd": table}, env="database")
    project.conf("credentials", {"db": {"con": "sqlite:///data/rows.db"}}, env="database")
    done = project.kubeflow("compile", "-o", "-", "-e", "database").failed(2)
    assert "'write' writes 'odd' to a sqlite database in a file of its pod: 'read' will not find it there" in done.err
    project.kubeflow("compile", "-o", "-", "-e", "database", "--force").ok()
