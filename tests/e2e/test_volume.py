"""One volume a run: filled from the project's data, shared by real steps, gone or kept afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro_project import KedroProject, make_project

PIPELINE = """
import json
from pathlib import Path
from kedro.io import AbstractDataset
from kedro.pipeline import Pipeline, node

class Bare(AbstractDataset):
    '''Makes no folder.'''
    def __init__(self, filepath): self._path = Path(filepath)
    def _load(self): return json.loads(self._path.read_text())
    def _save(self, data): self._path.write_text(json.dumps(data))
    def _describe(self): return {}

def prepare(raw):
    return [x for x in raw if x < 4]

def double(rows):
    assert "data/02/rows.json" not in [str(p) for p in Path("data").rglob("*.json")]
    return [2 * x for x in rows], {"count": len(rows)}

def total(rows, doubled, lookup):
    if lookup["fail"]:
        raise ValueError("asked to fail")
    return f"<p>{sum(rows) + sum(doubled)}</p>"

def create_pipeline():
    return Pipeline([
        node(prepare, "raw", "rows", name="prepare"),
        node(double, "rows", ["doubled", "metrics"], name="double"),
        node(total, ["rows", "doubled", "lookup"], "page", name="total"),
    ])
"""
CATALOG: dict[str, Any] = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01/raw.json"},
    "lookup": {"type": "json.JSONDataset", "filepath": "data/01/lookup.json"},
    "rows": {"type": "json.JSONDataset", "filepath": "data/02/rows.json", "versioned": True},
    "doubled": {"type": "demo.pipelines.main.Bare", "filepath": "data/05/deep/doubled.json"},
    "metrics": {"type": "json.JSONDataset", "filepath": "data/02/m.json", "metadata": {"kubeflow": "Metrics"}},
    "page": {"type": "text.TextDataset", "filepath": "data/08/page.html"},
}


def project_with(path: Path, run_config: Mapping[str, Any]) -> KedroProject:
    return make_project(
        path,
        pipelines=PIPELINE,
        catalog=CATALOG,
        parameters={},
        kubeflow={"run_config": {"image": "img:1", **run_config}},
        data={"data/01/raw.json": "[1, 2, 3, 4, 5]", "data/01/lookup.json": json.dumps({"fail": False})},
    )


def run(project: KedroProject) -> tuple[dict[str, Any], Path]:
    done = project.run_once()
    facts: dict[str, Any] = done.facts
    return facts, Path(facts["folder"])


def test_steps_share_it_and_results_outlive_it(tmp_path: Path) -> None:
    project = project_with(tmp_path, {"volume": {"size": "2Gi"}})
    facts, folder = run(project)
    steps = {s["step"]: s for s in facts["steps"]}
    assert facts["state"] == "SUCCEEDED", steps
    assert list(steps) == ["fill-volume", "prepare", "double", "total"]
    assert not (folder / "volume").exists(), "the run's volume goes with a run that succeeded"
    assert Path(steps["total"]["outputs"]["page"]).read_text() == "<p>18</p>"
    assert not (project.path / "data/02").exists(), "the project's own folder is not written to"
    output = next(folder.glob("artifacts/*/double/executor_output.json"))
    assert json.loads(output.read_text())["artifacts"]["metrics"]["artifacts"][0]["metadata"]["count"] == 3


def test_it_can_be_kept_and_start_empty(tmp_path: Path) -> None:
    volume = {"keep": True, "storageclass": "nfs", "skip_init": True}
    catalog_outside = {**CATALOG, "raw": {**CATALOG["raw"], "filepath": "raw.json"}, "lookup": CATALOG["lookup"]}
    project = project_with(tmp_path, {"volume": volume, "store_kedro_outputs_as_kfp_artifacts": False})
    project.conf("catalog", {**catalog_outside, "lookup": {**CATALOG["lookup"], "filepath": "lookup.json"}})
    project.write("raw.json", "[1, 2, 3, 4, 5]")
    project.write("lookup.json", '{"fail": false}')
    facts, folder = run(project)
    assert facts["state"] == "SUCCEEDED"
    assert [s["step"] for s in facts["steps"]] == ["prepare", "double", "total"]
    assert (folder / "volume/data/08/page.html").read_text() == "<p>18</p>"
    assert "page" not in facts["steps"][-1]["outputs"], "no copies were asked for"
