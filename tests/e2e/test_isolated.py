"""`run-once --local --isolated`: steps share nothing, as pods do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project

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
    done = project.kubeflow("run-once", "--local", "--isolated", "--output", "json").ok()
    facts = json.loads(done.out[done.out.index("{\n") :])
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
