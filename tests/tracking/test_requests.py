"""How many requests to MLflow a step needs before its first node and after its last one: each costs a way through the network."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from conftest import MlflowServer
from kedro_project import KedroProject, make_project

# Requests of a step that logs nothing by itself, most of which are kedro-mlflow's own: whether the server and the experiment are
# there, the run's entering, parameters. A higher number is a step that starts later.
BEFORE, AFTER = 15, 7

SETTINGS = """
import os
import requests
from kedro.framework.hooks import hook_impl

def note(line):
    with open(os.environ["NOTED"], "a") as noted:
        noted.write(line + "\\n")

original = requests.Session.request

def counted(self, method, url, *args, **kwargs):
    note(f"{method} {url.partition('/api/')[2]}")
    return original(self, method, url, *args, **kwargs)

requests.Session.request = counted

class Marks:
    @hook_impl(trylast=True)
    def before_node_run(self):
        note("NODE")
    @hook_impl(tryfirst=True)
    def after_node_run(self):
        note("END")

HOOKS = (Marks(),)
"""


def step(project: KedroProject, name: str, values: dict[str, object], *artifacts: str) -> list[str]:
    """Run a task of the compiled pipeline; gives the requests that it sent, and the marks of its node."""
    spec = next(yaml.safe_load_all((project.path / "p.yaml").read_text()))
    container = spec["deploymentSpec"]["executors"][f"exec-{name}"]["container"]
    argv = [sys.executable, *container["command"][1:], *container["args"]]
    made = {n: {"artifacts": [{"name": n, "uri": str(project.path / "out" / n)}]} for n in artifacts}
    outputs = {"artifacts": made, "outputFile": str(project.path / f"{name}.json")}
    argv[-1] = json.dumps({"inputs": {"parameterValues": values}, "outputs": outputs})
    noted = project.path / f"{name}.noted"
    environ = project.environment({"NOTED": str(noted), "KEDRO_KUBEFLOW_RUN_ID": "r"})
    done = subprocess.run(argv, cwd=project.path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return noted.read_text().splitlines()


def test_they_are_few(tmp_path: Path, mlflow_server: MlflowServer, capsys: pytest.CaptureFixture[str]) -> None:
    project = make_project(tmp_path, mlflow={"server": {"mlflow_tracking_uri": mlflow_server.uri}}, settings=SETTINGS)
    project.kubeflow("compile", "-o", "p.yaml").ok()
    step(project, "mlflow-start-run", {"kubeflow-run-id": "r", "kubeflow-run-name": "n"}, "mlflow-run")
    sent = step(project, "prepare", {"limit": 3}, "rows")
    node, end = sent.index("NODE"), sent.index("END")
    before, after = Counter(sent[:node]), Counter(sent[end + 1 :])
    with capsys.disabled():
        print(f"\nrequests to MLflow before a node: {before.total()}, after it: {after.total()}\n{before}\n{after}")
    assert before.total() <= BEFORE, before
    assert after.total() <= AFTER, after
    assert end == node + 1, "nothing is sent while a node works that logs nothing"
