"""What is selected runs for real: several pipelines as one, composed ones, parts of them, jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from kedro_project import KedroProject, make_project

PREPARE = """
from kedro.pipeline import Pipeline, node

def prepare(raw, limit): return [x for x in raw if x < limit]

def create_pipeline():
    return Pipeline([node(prepare, ["raw", "params:limit"], "rows", name="prepare")])
"""
SCIENCE = """
from kedro.pipeline import Pipeline, node

def train(rows): return sum(rows)
def report(model, rows): return {"model": model, "rows": len(rows)}

def create_pipeline():
    return Pipeline([
        node(train, "rows", "model", name="train"),
        node(report, ["model", "rows"], "report", name="report"),
    ])
"""
REGISTRY = """
from kedro.framework.project import find_pipelines
from kedro.pipeline import Pipeline

class Whole(Pipeline):
    '''As pipelines of a class of their own are, kedro-mlflow's among them.'''
    def filter(self, *args, **kwargs):
        raise ValueError("this pipeline is not to be cut")
    def __radd__(self, other):
        return self if not other.nodes else NotImplemented
    def __add__(self, other):
        return self if not other.nodes else super().__add__(other)

def register_pipelines():
    found = find_pipelines(raise_errors=True)
    if {"preparing", "science"} <= set(found):
        found["composed"] = found["preparing"] + found["science"]
        found["whole"] = Whole(found["composed"].nodes)
        found["__default__"] = found["composed"]
    return found
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"},
    "rows": {"type": "json.JSONDataset", "filepath": "data/02/rows.json"},
    "report": {"type": "json.JSONDataset", "filepath": "data/08/report.json"},
}
SEEN = """
import json
import os
from pathlib import Path
from kedro.framework.hooks import hook_impl

class Seen:
    @hook_impl
    def before_pipeline_run(self, run_params, pipeline):
        name = "+".join(node.name for node in pipeline.nodes)
        Path(os.environ["SEEN_IN"], "seen_" + name + ".json").write_text(json.dumps(run_params["pipeline_names"]))

HOOKS = (Seen(),)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(
        tmp_path_factory.mktemp("selections"),
        pipelines={"preparing": PREPARE, "science": SCIENCE},
        registry=REGISTRY,
        catalog=CATALOG,
        settings=SEEN,
    )
    made.environ["SEEN_IN"] = str(made.path)
    made.conf(
        "kubeflow",
        {
            "run_config": {"image": "x:1", "grouping": "pipeline"},
            "jobs": {"few": {"pipelines": ["preparing", "science"], "from_nodes": "train"}},
        },
    )
    return made


def run(project: KedroProject, *words: str) -> dict[str, Any]:
    done = project.run_once(*words).ok()
    steps = done.facts["steps"]
    return {step["step"]: step["outputs"] for step in steps}


def report_of(steps: dict[str, Any], title: str) -> Any:
    return json.loads(Path(steps[title]["report"]).read_text())


def test_several_pipelines_run_as_one(project: KedroProject) -> None:
    steps = run(project, "--pipelines", "preparing,science")
    assert list(steps) == ["preparing", "science"]
    assert report_of(steps, "science") == {"model": 6, "rows": 3}
    seen = json.loads((project.path / "seen_prepare.json").read_text())
    assert seen == ["preparing", "science"]


def test_a_composed_pipeline_keeps_its_name_in_the_pod(project: KedroProject) -> None:
    steps = run(project, "-p", "composed", "--param", "limit=2")
    assert report_of(steps, "science") == {"model": 1, "rows": 1}
    assert json.loads((project.path / "seen_train+report.json").read_text()) == ["composed"]


def test_a_pipeline_that_refuses_to_be_cut_runs_step_by_step(project: KedroProject) -> None:
    steps = run(project, "-p", "whole")
    assert report_of(steps, "science") == {"model": 6, "rows": 3}


def test_a_job_with_its_slice_and_parameters(project: KedroProject) -> None:
    project.write("data/02/rows.json", "[5, 6]")
    steps = run(project, "--job", "few")
    assert list(steps) == ["science"]
    assert report_of(steps, "science") == {"model": 11, "rows": 2}
