"""Code that travels is what runs, to the end of the run, whatever becomes of the image; what it needs of the image is told."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import MlflowServer
from kedro_project import KedroProject, make_project
from mlflow import MlflowClient

MAIN = """
import os
from pathlib import Path
from kedro.pipeline import Pipeline, node

def prepare(raw):
    return [2 * x for x in raw]

def spoil(rows, image):
    # From here on the image is another one.
    Path(image, "src/demo/pipelines/main/__init__.py").write_text("raise RuntimeError('the code of the image')")
    Path(image, "src/demo/pipelines/at_exit/__init__.py").write_text("raise RuntimeError('the code of the image')")
    Path(image, "requirements.txt").write_text("another")
    return rows

def train(rows):
    return len(rows)

def create_pipeline():
    return Pipeline([
        node(prepare, "raw", "rows", name="prepare"),
        node(spoil, ["rows", "params:image"], "same", name="spoil"),
        node(train, "same", "size", name="train"),
    ])
"""
AT_EXIT = """
from kedro.pipeline import Pipeline, node

def tell(run):
    print("the exit pipeline as it travelled:", run["status"])
    return run

def create_pipeline():
    return Pipeline([node(tell, "params:kubeflow_run", "told", name="tell")])
"""
LACKING = """
import os
from kedro.pipeline import Pipeline, node
if os.environ.get("IN_POD"):
    import no_such_library.inner

def one():
    return 1

def create_pipeline():
    return Pipeline([node(one, None, "one", name="one")])
"""
REGISTRY = """
from kedro.framework.project import find_pipelines

def register_pipelines():
    pipelines = find_pipelines()
    pipelines["__default__"] = pipelines["main"]
    return pipelines
"""
KUBEFLOW: dict[str, Any] = {
    "run_config": {
        "image": "registry.example.com/demo:1",
        "env": {"__default__": {"IN_POD": "1"}},
        "cache": {"prepare": True},
        "on_exit_pipeline": "at_exit",
    }
}


@pytest.fixture
def project(tmp_path: Path, mlflow_server: MlflowServer) -> KedroProject:
    made = make_project(
        tmp_path,
        pipelines={
            "main": MAIN,
            "at_exit": AT_EXIT,
            "lacking": LACKING,
        },
        registry=REGISTRY,
        catalog={
            "raw": {"type": "json.JSONDataset", "filepath": "data/raw.json"},
            "told": {"type": "json.JSONDataset", "filepath": "data/told.json"},
        },
        parameters={"image": str(tmp_path)},
        kubeflow=KUBEFLOW,
        mlflow={
            "server": {"mlflow_tracking_uri": mlflow_server.uri},
            "tracking": {"experiment": {"name": "travelling"}},
        },
        data={"data/raw.json": "[1, 2]"},
    )
    made.write("requirements.txt", "kedro\n")
    return made


def run(project: KedroProject, *words: str) -> tuple[dict[str, str], dict[str, str], Any]:
    """The states of the steps, their logs, and what was printed."""
    # A step changes what the "image" holds, the project's folder here.
    done = project.run_once("--with-code", *words, isolated=False)
    facts = done.facts
    steps = facts["steps"]
    logs = {s["step"]: Path(s["log"]).read_text() for s in steps if s["log"] and Path(s["log"]).is_file()}
    return {s["step"]: s["state"] for s in steps}, logs, facts


def test_to_the_end_of_the_run(project: KedroProject, tmp_path: Path, mlflow_server: MlflowServer) -> None:
    shutil.copytree(tmp_path / "src", tmp_path / "as-it-was")
    states, logs, facts = run(project)
    assert set(states.values()) == {"SUCCEEDED"}, logs
    assert "the exit pipeline as it travelled: succeeded" in logs["mlflow-end-run"]
    assert "other requirements" not in logs["spoil"]
    assert "built with other requirements than the code needs (requirements.txt differs)" in logs["train"]
    tags = MlflowClient(mlflow_server.uri).get_run(facts["mlflow"]["run_id"]).data.tags
    assert len(tags["kubeflow_code"]) == 64
    # The same code is the same artifact, or what follows from it would never come from the cache.
    shutil.rmtree(tmp_path / "src")
    shutil.copytree(tmp_path / "as-it-was", tmp_path / "src")
    project.write("requirements.txt", "kedro\n")
    assert run(project)[0]["prepare"] == "CACHED"


def test_a_package_that_the_image_lacks(project: KedroProject, mlflow_server: MlflowServer) -> None:
    _, logs, facts = run(project, "--pipeline", "lacking")
    last = logs["one"][logs["one"].index("kedro-kubeflow: step 'one' failed") :]
    for text in (
        last,
        MlflowClient(mlflow_server.uri).get_run(facts["mlflow"]["run_id"]).data.tags["kubeflow_step_error.one"],
    ):
        assert "no_such_library" in text
        assert "the image must be built anew" in text
