"""Runs in a notebook, beside Kedro's own extension: a real IPython shell in a process of its own."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project

pytestmark = pytest.mark.skipif(importlib.util.find_spec("IPython") is None, reason="IPython is not installed")

# What people type, a cell a line; the last gives what they see.
SESSION = """
import json, os, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in json.load(sys.stdin):
    done = shell.run_cell(cell, store_history=True)
    assert done.success, (cell, done.error_in_exec or done.error_before_exec)
print(json.dumps(shell.user_ns["seen"]))
"""
CELLS = [
    "%load_ext kedro.ipython",
    "assert {'catalog', 'context', 'session', 'pipelines'} <= set(globals())",
    "import kedro_kubeflow",
    "run = kedro_kubeflow.run('latest', target='local')",
    "report = run.load('report')",
    "seen = [run.status, sorted(run.steps), report, run.load('doubled'), dict(run.mlflow), run.wait().state]",
    # The notebook's own are as they were.
    "seen += [catalog.load('raw'), context.env, list(session.run(node_names=['prepare']))]",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(tmp_path_factory.mktemp("notebook"))
    made.kubeflow("run-once", "--local").ok()
    (made.path / "notebooks").mkdir()
    return made


def session(project: KedroProject, folder: Path, cells: list[str]) -> list[object]:
    import subprocess
    import sys

    environ = {**project.environment(), "IPYTHONDIR": str(project.path / ".ipython")}
    done = subprocess.run(
        [sys.executable, "-c", SESSION],
        input=json.dumps(cells),
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen: list[object] = json.loads(done.stdout.splitlines()[-1])
    return seen


def test_beside_kedros_own(project: KedroProject) -> None:
    seen = session(project, project.path / "notebooks", CELLS)
    steps = ["double", "prepare", "total"]
    assert seen == ["SUCCEEDED", steps, {"total": 18}, [2, 4, 6], {}, "SUCCEEDED", [1, 2, 3, 4, 5], None, ["rows"]]


def test_the_project_is_the_one_that_the_notebook_has_loaded(project: KedroProject, tmp_path: Path) -> None:
    cells = [f"%load_ext kedro.ipython\n%reload_kedro {project.path}", *CELLS[2:6]]
    assert session(project, tmp_path, cells)[0] == "SUCCEEDED"
