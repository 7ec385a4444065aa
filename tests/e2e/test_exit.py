"""The end of a run, whatever became of it: an exit pipeline and notifications, for real."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from kedro_project import KedroProject, make_project
from serving import serving

MAIN = """
import time
from pathlib import Path
from kedro.pipeline import Pipeline, node

def prepare(raw, mode):
    return len(raw)

def train(count, mode):
    if mode == "wait":
        Path("waiting").touch()
        time.sleep(100)
    if mode == "fail":
        raise ValueError("no <data> to train on")
    return count + 1

def create_pipeline():
    return Pipeline([
        node(prepare, ["raw", "params:mode"], "count", name="prepare"),
        node(train, ["count", "params:mode"], "model", name="train_model"),
    ])
"""
CLEAN_UP = """
import os
from kedro.pipeline import Pipeline, node

def look(run, team, status, failures, mode):
    print("the exit pipeline sees", run["status"])
    return {**run, "team": team, "old": [status, [f["displayName"] for f in failures]], "mode": mode}

def tell(seen, team):
    if team == "boom":
        os._exit(3)
    return seen

def create_pipeline():
    return Pipeline([
        node(look, ["params:kubeflow_run", "params:team", "params:status", "params:failures", "params:mode"], "seen",
             name="look"),
        node(tell, ["seen", "params:team"], "told", name="tell"),
    ])
"""
REGISTRY = """
from demo.pipelines import main, clean_up

def register_pipelines():
    return {"__default__": main.create_pipeline(), "clean_up": clean_up.create_pipeline()}
"""


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    """A webhook on loopback, and what it received."""
    received: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.append((self.path, body))
            self.send_response(410 if self.path == "/gone" else 200)
            self.end_headers()

        def log_message(self, *args: Any) -> None: ...

    with serving(Handler) as url:
        yield url, received


@pytest.fixture
def project(tmp_path: Path) -> KedroProject:
    return make_project(
        tmp_path,
        pipelines={"main": MAIN, "clean_up": CLEAN_UP},
        registry=REGISTRY,
        catalog={
            "raw": {"type": "json.JSONDataset", "filepath": "data/raw.json"},
            "told": {"type": "json.JSONDataset", "filepath": "data/told.json"},
        },
        parameters={"mode": "pass", "team": "red"},
        kubeflow={
            "host": "https://kf.example.com/pipeline",
            "run_config": {
                "image": "img:1",
                "on_exit_pipeline": "clean_up",
                "notifications": [
                    {"type": "webhook", "url_env": "GONE_URL", "on": ["failed"]},
                    {"type": "webhook", "url_env": "HOOK_URL"},
                    {"type": "slack", "url_env": "SLACK_URL", "on": ["failed", "cancelled"]},
                    {"type": "slack", "url_secret": {"name": "slack", "key": "url"}},
                ],
            },
        },
        data={"data/raw.json": "[1, 2]"},
    )


def run(project: KedroProject, base: str, *words: str) -> tuple[int, dict[str, Any]]:
    urls = {"HOOK_URL": f"{base}/t0ken", "SLACK_URL": f"{base}/slack", "GONE_URL": f"{base}/gone"}
    done = project.run_once(*words, env=urls)
    assert "t0ken" not in done.text
    facts: dict[str, Any] = done.facts
    return done.code, facts


def test_after_a_success(project: KedroProject, hook: tuple[str, list[Any]]) -> None:
    base, received = hook
    code, facts = run(project, base, "--params", "team=blue")
    steps = {step["step"]: step for step in facts["steps"]}
    assert code == 0, Path(steps["on-exit-pipeline"]["log"]).read_text()
    told = json.loads(Path(steps["on-exit-pipeline"]["outputs"]["told"]).read_text())
    expected = {"status": "succeeded", "failed_steps": [], "run_id": facts["run_id"], "pipeline": "__default__"}
    assert told == {**expected, "team": "blue", "old": ["Succeeded", []], "mode": "pass"}
    assert received == [("/t0ken", {**expected, "env": "local"})]


def test_after_an_interruption(project: KedroProject, hook: tuple[str, list[Any]]) -> None:
    base, received = hook
    environ = project.environment({"HOOK_URL": f"{base}/t0ken", "SLACK_URL": f"{base}/slack"})
    command = [sys.executable, "-m", "kedro", "kubeflow", "run-once", "--local", "--isolated", "--params", "mode=wait"]
    with subprocess.Popen(command, cwd=project.path, env=environ, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120
        while not project.holds("waiting"):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert [path for path, _ in received] == ["/t0ken", "/slack"]
    assert received[0][1]["status"] == "cancelled"
    log = next(project.path.glob(".kubeflow/runs/*/logs/on-exit-pipeline*.log")).read_text()
    assert "the exit pipeline sees cancelled" in log
    spec = next(project.path.glob(".kubeflow/runs/*/pipeline.yaml")).read_text()
    assert "KEDRO_KUBEFLOW_NOTIFY_3" in spec, "an address in a secret reaches the exit task by reference"


def test_after_a_failure_each_part_is_done_though_the_others_fail(
    project: KedroProject, hook: tuple[str, list[Any]]
) -> None:
    base, received = hook
    code, facts = run(project, base, "--params", "mode=fail,team=boom")
    steps = {step["step"]: step for step in facts["steps"]}
    log = Path(steps["on-exit-pipeline"]["log"]).read_text()
    assert code == 1
    assert {name: step["state"] for name, step in steps.items()} == {
        "prepare": "SUCCEEDED",
        "train_model": "FAILED",
        "on-exit-pipeline": "FAILED",
    }
    assert "the exit pipeline sees failed" in log
    assert "Code of the step has called os._exit(3)" in log
    assert "The exit pipeline 'clean_up' failed (exit code 1); its own words are above" in log
    assert "A notification to 127.0.0.1 is not taken: it answers 410" in log
    assert "t0ken" not in log
    assert "GONE_URL" not in log
    assert [path for path, _ in received] == ["/gone", "/t0ken", "/slack"]
    assert received[1][1]["failed_steps"] == ["train_model"]
    assert received[2][1]["text"].splitlines()[1:] == [
        "Failed: `train_model`",
        "> Task exit-handler-1 failed.",
    ]
