"""A Kedro project whose steps can be made to fail at any stage, by the environment variables of their pods.

- ``FAULT``: where a step dies by SIGKILL: ``before_node``, ``in_node``, ``in_save`` or ``after_node``.
- ``DIES_AT``: the number of the request to MLflow that a process does not survive; ``DIES``: whether that is ``before`` the
  request is sent or ``after`` it was answered.
- ``WAITS``: a file that the training node makes; it waits until the file is gone.
- ``KEDRO_KUBEFLOW_TEST_FAIL``: the message of the error that the training node raises; ``FAILS``: a file that says how often it
  still does.
- ``COMPUTES``: a file that the training node makes before a long computation that hears no signal.
"""

from __future__ import annotations

from pathlib import Path

from kedro_project import KedroProject, make_project

PIPELINE = """
import mlflow
from kedro.pipeline import Pipeline, node

from demo.faults import compute, die, fail, wait

def prepare(raw, limit, options):
    return [x for x in raw if x < limit]

def train(rows, options, rate):
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
        if step == 2:
            wait()
            compute()
            die("in_node")
    fail()
    mlflow.log_metric("accuracy", 0.75)
    mlflow.log_metric("accuracy", 0.75)
    mlflow.log_dict({"rate": rate}, "notes/rate.json")
    mlflow.set_tag("mine", "kept")
    return sum(rows), {"score": {"value": 0.5, "step": 1}}

def report(model, name):
    return f"<p>{name}: {model}</p>"

def create_pipeline():
    return Pipeline([
        node(prepare, ["raw", "params:limit", "params:options"], "rows", name="prepare"),
        node(train, ["rows", "params:options", "params:rate"], ["model", "scores"], name="ns.train"),
        node(report, ["model", "params:name"], "page", name="report"),
    ])
"""
FAULTS = """
import hashlib
import os
import signal
import time
from pathlib import Path

import requests
from kedro.framework.hooks import hook_impl
from kedro.io import AbstractDataset

def die(where):
    if os.environ.get("FAULT") == where:
        os.kill(os.getpid(), signal.SIGKILL)

def compute():
    if os.environ.get("COMPUTES"):
        Path(os.environ["COMPUTES"]).touch()
        hashlib.pbkdf2_hmac("sha256", b"", b"", 12_000_000)

def fail():
    if os.environ.get("FAILS"):
        left = int(Path(os.environ["FAILS"]).read_text())
        Path(os.environ["FAILS"]).write_text(str(left - 1))
        if left > 0:
            raise ValueError(f"{left} times more")
    if os.environ.get("KEDRO_KUBEFLOW_TEST_FAIL"):
        raise ValueError(os.environ["KEDRO_KUBEFLOW_TEST_FAIL"])

def wait():
    if os.environ.get("WAITS"):
        file = Path(os.environ["WAITS"])
        file.touch()
        while file.exists():
            time.sleep(0.05)

class Hooks:
    @hook_impl
    def before_node_run(self, node):
        die("before_node")

    @hook_impl
    def after_node_run(self, node):
        die("after_node")

class Fragile(AbstractDataset):
    def __init__(self, filepath):
        self._filepath = Path(filepath)

    def _save(self, data):
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        self._filepath.write_text("half")
        die("in_save")
        self._filepath.write_text(repr(data))

    def _load(self):
        return eval(self._filepath.read_text())

    def _describe(self):
        return {"filepath": self._filepath}

def count_requests():
    fatal, when = int(os.environ["DIES_AT"]), os.environ["DIES"]
    original, seen = requests.Session.request, []

    def counting(self, *args, **kwargs):
        seen.append(1)
        if len(seen) == fatal and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = original(self, *args, **kwargs)
        if len(seen) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    requests.Session.request = counting

if "DIES_AT" in os.environ:
    count_requests()
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"},
    "model": {"type": "demo.faults.Fragile", "filepath": "data/06_models/model.txt"},
    "scores": {"type": "kedro_mlflow.io.metrics.MlflowMetricsHistoryDataset"},
    "page": {
        "type": "kedro_mlflow.io.artifacts.MlflowArtifactDataset",
        "dataset": {"type": "text.TextDataset", "filepath": "data/08/page.html"},
    },
}
PARAMETERS = {"limit": 4, "rate": 0.5, "name": "étude", "options": {"fail": ""}}
# What a complete run must hold.
PARAMS = {"limit": "4", "rate": "0.5", "name": "étude", "options": "{'fail': ''}"}
TASKS = {"prepare": "prepare", "train": "ns-train-82043a99", "report": "report"}


def fragile_project(path: Path, server: str) -> KedroProject:
    project = make_project(
        path,
        pipelines=PIPELINE,
        catalog=CATALOG,
        parameters=PARAMETERS,
        mlflow={"server": {"mlflow_tracking_uri": server}, "tracking": {"experiment": {"name": path.name}}},
        settings="from demo.faults import Hooks\nHOOKS = (Hooks(),)\n",
    )
    project.write("src/demo/faults.py", FAULTS)
    return project
