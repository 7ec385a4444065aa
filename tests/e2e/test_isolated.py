"""`run-once --local --isolated`: steps share nothing, as pods do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project
from mlflow import MlflowClient

PIPELINE = """
from pathlib import Path
from kedro.pipeline import Pipeline, node

def here(): return sorted(str(p) for p in Path().rglob("*") if p.is_file() and "__pycache__" not in str(p))

def first(raw, limit):
    seen = here()
    Path("left_behind.txt").write_text("x")
    Path("data/01_raw/raw.json").write_text("[]")
    return {"seen": seen, "limit": limit}, "unread"

def second(found, raw):
    return {"seen": here(), "raw": raw, "found": found}

def create_pipeline():
    return Pipeline([
        node(first, ["raw", "params:limit"], ["found", "unread"], name="first"),
        node(second, ["found", "raw"], "report", name="second"),
    ])
"""
LOGGING = """
import mlflow
from kedro.pipeline import Pipeline, node

def first(limit):
    mlflow.log_text("first", "first.txt")
    return limit

def second(rows):
    mlflow.log_text("second", "second.txt")
    return rows

def create_pipeline():
    return Pipeline([node(first, "params:limit", "rows", name="first"), node(second, "rows", "same", name="second")])
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"},
    "found": {"type": "json.JSONDataset", "filepath": "data/02/found.json"},
    "unread": {"type": "text.TextDataset", "filepath": "data/02/unread.txt"},
    "report": {"type": "json.JSONDataset", "filepath": "data/08/report.json"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(tmp_path_factory.mktemp("isolated"), pipelines=PIPELINE, catalog=CATALOG)
    made.write("data/02/found.json", '"an old one"')
    made.conf("parameters", {"limit": 5}, env="local")
    return made


def test_steps_share_nothing_and_leave_nothing(project: KedroProject) -> None:
    done = project.run_once().ok()
    facts = done.facts
    report = json.loads(Path(facts["steps"][-1]["outputs"]["report"]).read_text())
    assert report["raw"] == [1, 2, 3, 4, 5]
    assert report["found"]["limit"] == 5, "an input's default travels, wherever it comes from"
    for seen in (report["seen"], report["found"]["seen"]):
        assert "left_behind.txt" not in seen
        assert "src/demo/settings.py" in seen
        assert [name for name in seen if name.startswith(("data/", "conf/local/"))] == ["data/01_raw/raw.json"]
    assert not (project.path / "left_behind.txt").exists()
    assert json.loads((project.path / "data/01_raw/raw.json").read_text()) == [1, 2, 3, 4, 5]
    assert not {"pods", "image"} & {p.name for p in Path(facts["folder"]).iterdir()}


def test_it_is_said_where_it_means_nothing(project: KedroProject) -> None:
    assert "--isolated is for --local" in project.kubeflow("run-once", "--isolated").failed(2).err


@pytest.mark.parametrize("there_already", [False, True], ids=["none yet", "in every copy"])
def test_a_store_in_a_file_is_the_projects_own(tmp_path: Path, there_already: bool) -> None:
    """As the quickstart has it: no server, and what MLflow keeps beside the database is kept as well."""
    made = make_project(tmp_path, pipelines=LOGGING, mlflow={"server": {"mlflow_tracking_uri": "sqlite:///mlflow.db"}})
    if there_already:
        client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
        client.create_experiment("another", str(tmp_path / "mlruns/another"))
    facts = made.run_once("--with-code").ok().facts
    again = made.run_once("--with-code", "--resume", facts["run_id"], "--from-nodes", "second").ok().facts
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    for run_id, logged in ((facts["mlflow"]["run_id"], "first"), (again["mlflow"]["run_id"], "second")):
        run = client.get_run(run_id)
        assert run.info.status == "FINISHED"
        assert Path(run.info.artifact_uri) == tmp_path / f"mlruns/{run.info.experiment_id}/{run_id}/artifacts"
        assert Path(run.info.artifact_uri, f"{logged}.txt").read_text() == logged


def test_a_step_that_a_library_ends_with_success_has_failed(tmp_path: Path) -> None:
    node = """
import ctypes
from kedro.pipeline import Pipeline, node

def vanish(limit): ctypes.CDLL(None)._exit(0)
def create_pipeline(): return Pipeline([node(vanish, "params:limit", "rows", name="vanish")])
"""
    made = make_project(tmp_path, pipelines=node, mlflow={"server": {"mlflow_tracking_uri": "sqlite:///mlflow.db"}})
    done = made.run_once().failed(1)
    assert "Something has ended its process, with exit code 0, before its results were stored" in done.err
    assert done.facts["mlflow"]["status"] == "FAILED"
