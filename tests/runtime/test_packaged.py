"""A packaged project: no project folder in the image, an installed package and its configuration archive."""

from __future__ import annotations

import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro_project import KedroProject, make_project

KUBEFLOW = {"run_config": {"image": "img:1", "packaged": True, "conf_source": "conf-demo.tar.gz"}}


@pytest.fixture
def project(tmp_path: Path) -> KedroProject:
    return make_project(tmp_path / "project", kubeflow=KUBEFLOW)


@pytest.fixture
def image(tmp_path: Path, project: KedroProject) -> Path:
    """The working directory of an image: the archive that `kedro package` would make, and raw data."""
    folder = tmp_path / "image"
    (folder / "data/01_raw").mkdir(parents=True)
    (folder / "data/01_raw/raw.json").write_text("[1, 2, 3, 4, 5]")
    with tarfile.open(folder / "conf-demo.tar.gz", "w:gz") as archive:
        archive.add(project.path / "conf", arcname="conf")
    return folder


def test_a_step_runs_outside_of_any_project_folder(project: KedroProject, image: Path) -> None:
    project.kubeflow("compile", "-o", "p.yaml").ok()
    spec: dict[str, Any] = next(yaml.safe_load_all((project.path / "p.yaml").read_text()))
    container = spec["deploymentSpec"]["executors"]["exec-prepare"]["container"]
    made = {"rows": {"artifacts": [{"name": "rows", "uri": str(image / "out/rows")}]}}
    message = {
        "inputs": {"parameterValues": {"limit": 3}},
        "outputs": {"artifacts": made, "outputFile": str(image / "out.json")},
    }
    words = [*container["command"][1:], *container["args"][:-1], json.dumps(message)]
    installed = KedroProject(image, environ={"PYTHONPATH": str(project.path / "src")})
    installed.python(*words).ok()
    code = f"import pickle; print(pickle.load(open({str(image / 'out/rows/data.pkl')!r}, 'rb')))"
    assert installed.python("-c", code).ok().out == "[1, 2]\n"
    assert json.loads((image / "out.json").read_text())["artifacts"]["rows"]["artifacts"][0]["uri"]


def test_a_package_that_is_not_installed_is_said(project: KedroProject, image: Path) -> None:
    words = ["run", "--step", "prepare", "--package", "nope", "--conf-source", "x", "--executor-input", "{}"]
    done = KedroProject(image).python("-m", "kedro_kubeflow.runtime", *words).failed(2)
    assert "No module named 'nope'" in done.err


def test_a_package_needs_its_configuration(tmp_path: Path) -> None:
    config = {"run_config": {"image": "img:1", "packaged": True}}
    done = make_project(tmp_path, kubeflow=config).kubeflow("compile", "-o", "p.yaml").failed(2)
    assert "`packaged` needs `conf_source`" in done.err


def test_an_image_of_other_code_is_said(project: KedroProject) -> None:
    words = ["run", "--step", "prepaer", "--nodes", '["prepaer"]', "--executor-input", "{}"]
    done = project.python("-m", "kedro_kubeflow.runtime", *words).failed(2)
    assert "has no node 'prepaer'" in done.err
    assert "build the image from the code that the pipeline was compiled from" in done.err


def test_arguments_of_another_version_are_said(project: KedroProject) -> None:
    done = project.python("-m", "kedro_kubeflow.runtime", "run", "--novel", "x", "--executor-input", "{}").failed(2)
    assert "do not fit this version of kedro-kubeflow" in done.err
    assert sys.executable not in done.err
