"""Images that are not as this machine: another environment by default, a library that is missing, no project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project

WELL = """
from kedro.pipeline import Pipeline, node

def read(raw, which): return [raw, which]

def create_pipeline():
    return Pipeline([node(read, ["raw", "params:which"], "report", name="read")])
"""
NEEDS_MORE = """
import os
from kedro.pipeline import Pipeline, node
if os.environ.get("IN_POD"):
    import no_such_library

def one(): return 1

def create_pipeline():
    return Pipeline([node(one, None, "one", name="one")])
"""
REGISTRY = """
from kedro.framework.project import find_pipelines

def register_pipelines():
    pipelines = find_pipelines()
    pipelines["__default__"] = sum(pipelines.values())
    return pipelines
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/base.json"},
    "report": {"type": "json.JSONDataset", "filepath": "data/08/report.json"},
}
KUBEFLOW = {"run_config": {"image": "x:1", "env": {"__default__": {"KEDRO_ENV": "prod", "IN_POD": "1"}}}}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(
        tmp_path_factory.mktemp("image"),
        pipelines={"well": WELL, "science": NEEDS_MORE, "odd": "def create_pipeline(): return [1]"},
        registry=REGISTRY,
        catalog=CATALOG,
        parameters={"which": "base"},
        kubeflow=KUBEFLOW,
        data={"data/01_raw/base.json": '"base"', "data/01_raw/prod.json": '"prod"'},
    )
    made.conf("catalog", {"raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/prod.json"}}, env="prod")
    made.conf("parameters", {"which": "prod"}, env="prod")
    return made


def test_the_environment_that_was_compiled_is_the_one_that_runs(project: KedroProject) -> None:
    done = project.run_once("-p", "well").ok()
    steps = done.facts["steps"]
    assert json.loads(Path(steps[-1]["outputs"]["report"]).read_text()) == ["base", "base"]


def test_a_step_says_what_does_not_import_in_its_image(project: KedroProject) -> None:
    assert project.run_once("-p", "science").code == 1
    log = sorted(project.path.glob(".kubeflow/runs/*/logs/one.log"))[-1].read_text()
    last = log[log.index("kedro-kubeflow: step 'one' failed") :]
    assert "demo.pipelines.science: ModuleNotFoundError: No module named 'no_such_library'" in last
    assert "science/__init__.py, line 4" in last
    assert "install in the image what is missing" in last


def test_an_image_without_the_project_says_what_is_to_be_done_there(tmp_path: Path) -> None:
    argv = ["-m", "kedro_kubeflow.runtime", "run", "--step", "x", "--executor-input", "{}"]
    done = KedroProject(tmp_path).python(*argv).failed(2)
    assert "is not inside a Kedro project" in done.err
    assert "WORKDIR" in done.err
    assert "kedro new" not in done.err


def test_what_does_not_import_is_said_before_anything_is_submitted(project: KedroProject) -> None:
    environ = {"IN_POD": "1"}
    done = project.kubeflow("compile", "-o", "-", env=environ).ok()
    assert "demo.pipelines.science does not import, and its pipeline is left out: ModuleNotFoundError" in done.err
    strict = project.kubeflow("compile", "-o", "-", "--strict", env=environ)
    assert strict.code == 2
    assert "demo.pipelines.science does not import" in strict.err
    assert not strict.out
    found = project.kubeflow("check", env=environ)
    assert found.code == 1
    assert "error not-imported: demo.pipelines.science" in found.out
    assert "error not-imported: demo.pipelines.odd gives no pipeline" in found.out
    assert "its `create_pipeline` returns 'list' and not a Pipeline" in found.out
    asked = project.kubeflow("plan", "-p", "science", env=environ)
    assert asked.code == 2
    assert "no pipeline 'science', as demo.pipelines.science does not import: ModuleNotFoundError" in asked.err
    assert "science/__init__.py, line 4" in asked.err
