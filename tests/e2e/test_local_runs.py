"""What ran on this machine is there for `runs`, `status`, `logs` and `terminate` too."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kedro_project import KedroProject, make_project

PIPELINE = """
import time
from pathlib import Path
from kedro.pipeline import Pipeline, node

def prepare(raw, limit):
    print("preparing")
    if limit < 0:
        raise ValueError("the limit is below zero")
    return raw[:limit]

def total(rows):
    # Waits as long as somebody wants it to.
    while Path("wait").exists():
        print("still waiting", flush=True)
        time.sleep(0.1)
    return sum(rows)

def create_pipeline():
    return Pipeline([
        node(prepare, ["raw", "params:limit"], "rows", name="prepare"),
        node(total, "rows", "report", name="total"),
    ])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    catalog = {"raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/raw.json"}}
    made = make_project(tmp_path_factory.mktemp("local"), pipelines=PIPELINE, catalog=catalog)
    made.conf("parameters", {"limit": 3})
    host = {"host": "http://127.0.0.1:9", "run_config": {"image": "demo:1"}}
    made.conf("kubeflow", host)
    return made


@pytest.fixture(scope="module")
def run_id(project: KedroProject) -> str:
    """A run that went well, on a machine whose server nobody reaches."""
    return run(project)["run_id"]


@pytest.fixture(scope="module")
def failed(project: KedroProject, run_id: str) -> str:
    done = project.run_once("--param", "limit=-1").failed(1)
    return str(done.facts["run_id"])


@pytest.fixture
def waiting(project: KedroProject) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A run of which `total` waits, started as a script starts things in the background: without Ctrl-C."""
    gate = project.path / "wait"
    gate.touch()
    words = [sys.executable, "-m", "kedro", "kubeflow", "run-once", "--target", "local", "--output", "json"]
    process = subprocess.Popen(
        words,
        cwd=project.path,
        env=project.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    try:
        yield until_it_waits(project), process
    finally:
        gate.unlink(missing_ok=True)
        process.wait(200)


def until_it_waits(project: KedroProject) -> str:
    end = time.monotonic() + 200
    while time.monotonic() < end:
        [latest, *_] = listed(project) or [{}]
        if latest.get("state") == "RUNNING":
            steps = status(project, latest["run_id"])["steps"]
            if {s["step"]: s["state"] for s in steps}["total"] == "RUNNING":
                return str(latest["run_id"])
        time.sleep(0.2)
    raise AssertionError("the run has not come to its second step")


def facts_in(text: str) -> Any:
    return json.loads(text[text.index("{\n") :])


def run(project: KedroProject, *words: str) -> Any:
    return project.run_once(*words).ok().facts


def listed(project: KedroProject, *words: str) -> list[Any]:
    out = project.kubeflow("runs", "--target", "local", "--output", "json", *words).ok().out
    return list(json.loads("[" + re.split(r"^\[(?=\s|\])", out, flags=re.MULTILINE)[-1]))


def status(project: KedroProject, run: str) -> Any:
    return project.kubeflow("status", run, "--output", "json").ok().facts


def test_listed_the_latest_first(project: KedroProject, run_id: str, failed: str) -> None:
    assert [(r["run_id"], r["state"]) for r in listed(project)][-2:] == [(failed, "FAILED"), (run_id, "SUCCEEDED")]
    assert listed(project, "-n", "1") != listed(project)
    assert listed(project, "-p", "other") == []
    lines = project.kubeflow("runs", "--target", "local", "-p", "__default__").ok().out.splitlines()
    assert ["NAME", "STATE", "STARTED", "TIME", "ID"] in [line.split() for line in lines]
    assert lines[-1].split()[-1] == run_id


def test_an_id_leads_here_by_itself(project: KedroProject, run_id: str) -> None:
    """Though a server is configured, which nobody asks."""
    found = status(project, run_id)
    assert (found["state"], found["canceled"], found["folder"]) == ("SUCCEEDED", False, found["link"])
    assert [(s["step"], s["state"]) for s in found["steps"]] == [("prepare", "SUCCEEDED"), ("total", "SUCCEEDED")]
    assert all(s["started_at"] <= s["finished_at"] for s in found["steps"])
    assert found["steps"][1]["outputs"].keys() == {"report"}
    shown = project.kubeflow("status", found["folder"]).ok().out
    assert ": SUCCEEDED, " in shown
    assert shown.rstrip().endswith(found["folder"])


def test_logs(project: KedroProject, run_id: str, failed: str) -> None:
    assert "preparing" in project.kubeflow("logs", run_id, "prepare").ok().out
    everything = project.kubeflow("logs", run_id).ok().out
    assert everything.count("--- ") == 2
    assert "preparing" in project.kubeflow("logs", run_id, "prepare", "--follow").ok().out
    assert "the limit is below zero" in project.kubeflow("logs", failed, "prepare").ok().out
    assert "has no log" in project.kubeflow("logs", failed, "total").failed(6).err
    assert "no step 'totl'. Did you mean 'total'?" in project.kubeflow("logs", run_id, "totl").failed(6).err


def test_a_node_leads_to_the_step_that_runs_it_with_others(project: KedroProject) -> None:
    project.conf("kubeflow", {"run_config": {"grouping": "all"}}, "grouped")
    grouped = run(project, "--env", "grouped")["run_id"]
    assert "preparing" in project.kubeflow("logs", grouped, "prepare").ok().out
    assert project.kubeflow("logs", grouped, "total").ok().out == project.kubeflow("logs", grouped, "all").ok().out


def test_ended_from_elsewhere(project: KedroProject, waiting: tuple[str, subprocess.Popen[str]]) -> None:
    run_id, process = waiting
    assert "preparing" in project.kubeflow("logs", run_id, "prepare").ok().out
    done = project.kubeflow("terminate", run_id).ok().out.splitlines()
    assert done[0].endswith(": CANCELED")
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert facts_in(out)["state"] == "CANCELED"
    assert status(project, run_id)["canceled"]
    assert project.kubeflow("terminate", run_id).ok().out.splitlines() == done


def test_a_command_that_was_killed(project: KedroProject, waiting: tuple[str, subprocess.Popen[str]]) -> None:
    run_id, process = waiting
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    found = status(project, run_id)
    assert (found["state"], found["error"]) == ("FAILED", "The command that ran it was killed")
    assert [s["state"] for s in found["steps"]] == ["SUCCEEDED", "FAILED"]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["status", "local-0", "--target", "local"], "There is no run 'local-0' on this machine"),
        (["terminate", "..", "--target", "local"], "There is no run '..' on this machine"),
        (["retry", "local-0", "--target", "local"], "cannot be taken up again"),
        (["upload-pipeline", "--target", "local"], "keeps no uploaded pipelines"),
        (["schedule", "--list", "--target", "local"], "has no schedules"),
        (["run-once", "--target", "local", "--from-version", "latest"], "--from-version is not for this machine"),
        (["run-once", "--local", "--timeout", "1"], "--timeout cannot be used together with --local"),
    ],
)
def test_what_there_is_not(project: KedroProject, words: list[str], what: str) -> None:
    assert what in project.kubeflow(*words).failed().err


def test_a_run_of_an_earlier_version(project: KedroProject) -> None:
    folder = Path(project.path, ".kubeflow/runs/local-20200101-000000-abcdef")
    folder.mkdir(parents=True)
    assert status(project, folder.name)["state"] == "UNKNOWN"
    folder.rmdir()
