"""`kedro-kubeflow`, for scripts, and `--to`: results alone, whatever else Kedro and the project print."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('formatters: {own: {"()": demo.formatter}}', "The '()' key is not allowed"),
        (
            "handlers: {file: {class: logging.FileHandler, filename: no/such/folder/x.log}}\nroot: {handlers: [file]}",
            "No such file or directory",
        ),
        ("handlers: {", "line 3"),
    ],
)
def test_logging_that_kedro_does_not_take_is_told(tmp_path: Path, text: str, reason: str) -> None:
    project = make_project(tmp_path)
    project.write("conf/logging.yml", f"version: 1\n{text}\n")
    done = script(project, "plan")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "Error: Kedro cannot set logging up: " in done.stderr
    assert reason in done.stderr
    assert "where: conf/logging.yml" in done.stderr
