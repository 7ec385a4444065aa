"""`kedro-kubeflow`, for scripts, and `--to`: results alone, whatever else Kedro and the project print."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from kedro_project import KedroProject, make_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(tmp_path_factory.mktemp("talks"), parameters={"limit": 3})
    talk = "import os, sys\nprint('a project that talks')\nos.write(1, b'below Python too')\n"
    made.write("src/demo/settings.py", talk)
    return made


def script(project: KedroProject, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kedro_kubeflow.cli.script", *words],
        cwd=project.path,
        env=project.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_standard_output_is_the_result_alone(project: KedroProject) -> None:
    done = script(project, "plan", "--output", "json")
    assert json.loads(done.stdout)["name"] == "demo"
    assert "a project that talks" in done.stderr
    assert "below Python too" in done.stderr


def test_kedros_own_command_gives_the_result_behind_the_first_line_of_kedros_log(project: KedroProject) -> None:
    done = project.kedro("kubeflow", "plan", "--output", "json").ok()
    log, begin, rest = done.out.partition("\n{")
    assert json.loads(begin + rest)["name"] == "demo"
    assert "logging" in log
    for text in ("a project that talks", "below Python too"):
        assert text not in done.out
        assert text in done.err


def test_help_is_a_result(project: KedroProject) -> None:
    assert "Run this project on Kubeflow Pipelines" in project.kedro("kubeflow", "--help").ok().out


def test_into_a_file_by_either_command(project: KedroProject) -> None:
    project.kubeflow("plan", "--output", "json", "--to", "plan.json").ok()
    assert json.loads((project.path / "plan.json").read_text())["pipeline"] == "__default__"
    # A finding is a result, though the command fails.
    project.kubeflow("check", "--strict", "-i", "demo:latest", "--output", "json", "--to", "found.json")
    assert "findings" in json.loads((project.path / "found.json").read_text())
    project.kubeflow("plan", "-p", "nothing", "--to", "none.json").failed(2)
    assert not (project.path / "none.json").exists()
