"""What commands do with 100, 300 and 1,000 nodes: time and memory grow with the nodes.

`plan`, `check` and `compile` of a real project, from opening it to what is printed; `status` from the server's answer on; and
planning alone, with `grouping: auto`.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro_project import KedroProject, make_project
from kfp_server import KfpServer
from plans import plan_of

from kedro_kubeflow.cli.run_output import print_run
from kedro_kubeflow.compiler import compile_plan
from kedro_kubeflow.config.kubeflow import read_config
from kedro_kubeflow.plan.grouping import NodeFacts
from kedro_kubeflow.plan.workflow import component_of, container_of, kubernetes_of, task_bytes, task_of
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.targets.kubeflow import connect
from kedro_kubeflow.targets.kubeflow.runs import run_of
from kedro_kubeflow.targets.kubeflow.steps import Asked
from kedro_kubeflow.targets.kubeflow.target import KubeflowTarget

from .measured import report

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]
SIZES = (100, 300, 1_000)
# Ten times the nodes may take so many times as long, or as much.
LINEAR = 13
Found = dict[str, dict[int, float]]


def lanes(nodes: int) -> list[NodeFacts]:
    return [
        NodeFacts(f"n_{lane}_{i}", ((f"d_{lane}_{i - 1}",) if i else ("raw",)), (f"d_{lane}_{i}",))
        for i in range(nodes // 10)
        for lane in range(10)
    ]


PIPELINE = """
from kedro.pipeline import Pipeline, node

def f(*_): return 1

def create_pipeline():
    return Pipeline([
        node(f, [f"d_{lane}_{i - 1}" if i else "raw", "params:limit"], f"d_{lane}_{i}", name=f"n_{lane}_{i}")
        for i in range(COUNT // 10) for lane in range(10)
    ])
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/raw.json"},
    "d_{lane}_{number}": {"type": "pickle.PickleDataset", "filepath": "data/d_{lane}_{number}.pkl"},
}
# In a process of its own: the commands as click calls them, with all that they print.
COMMANDS = """
import contextlib, gc, io, json, os, sys, time, tracemalloc
from kedro_kubeflow.cli import commands

def done(words):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        with contextlib.suppress(SystemExit):
            commands.main(["kubeflow", *words.split()], prog_name="kedro")

def measured(words):
    done(words)
    taken = []
    for _ in range(3):
        gc.collect()
        gc.disable()  # Its passes over all objects are the interpreter's, and grow faster than the objects.
        since = time.process_time()
        done(words)
        taken.append(time.process_time() - since)
        gc.enable()
    tracemalloc.start()
    done(words)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return min(taken), most / 2**20

print(json.dumps({words: measured(words) for words in sys.argv[1:]}))
"""
WORDS = ("plan", "check", "compile --force -o /dev/null")


def project_of(count: int, folder: Path) -> KedroProject:
    return make_project(
        folder / f"project_of_{count}", pipelines=PIPELINE.replace("COUNT", str(count)), catalog=CATALOG
    )


def test_commands_on_a_project(tmp_path: Path) -> None:
    seconds: Found = {words: {} for words in WORDS}
    megabytes: Found = {words: {} for words in WORDS}
    for nodes in SIZES:
        done = project_of(nodes, tmp_path).python("-c", COMMANDS, *WORDS, timeout=900).ok()
        for words, (taken, most) in json.loads(done.out.splitlines()[-1]).items():
            seconds[words][nodes], megabytes[words][nodes] = taken, most
    for words in WORDS:
        shown(f"`{words.split()[0]}`", seconds[words], megabytes[words])


def planned(nodes: int, by: str = "node") -> object:
    made = plan_of(lanes(nodes), run_config={"grouping": by}, tracking=True)
    assert made.workflow.tasks
    return made


@dataclass(frozen=True)
class Told:
    """What a server tells of a run whose last steps still run."""

    spec: dict[str, Any]
    entry: str
    target: KubeflowTarget

    @classmethod
    def of(cls, nodes: int) -> Told:
        spec = dict(compile_plan(plan_of(lanes(nodes))).pipeline_spec)
        with KfpServer() as server:
            run_id = server.runs.create({"display_name": "large", "pipeline_spec": spec})["run_id"]
            server.runs.courses[run_id].at = nodes - 20
            entry = server.runs.get(run_id)
            project = OpenProject(Path("/nowhere"), "demo", "demo", "base", "/nowhere/conf")
            return cls(spec, json.dumps(entry), KubeflowTarget(project, read_config({"host": server.url})))

    def status(self) -> None:
        """As `kedro kubeflow status` reads and prints it."""
        answer = SimpleNamespace(data=self.entry)
        connection = connect("http://127.0.0.1:9").server.connection
        with contextlib.redirect_stdout(io.StringIO()):
            print_run(self.target, run_of(connection.deserialize(answer, "V2beta1Run"), Asked.of(self.spec)))


def seconds(work: Callable[[], object]) -> float:
    found = []
    for _ in range(3):
        gc.collect()
        gc.disable()  # As above.
        since = time.process_time()
        work()
        found.append(time.process_time() - since)
        gc.enable()
    return min(found)


def peak(work: Callable[[], object]) -> float:
    tracemalloc.start()
    work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


def shown(what: str, times: dict[int, float], sizes: dict[int, float]) -> None:
    print({nodes: (round(times[nodes], 3), round(sizes[nodes], 1)) for nodes in times})
    ratios = [
        report(f"{what} of 1,000 nodes, against 100", times[1_000], times[100], LINEAR),
        report(f"{what} of 1,000 nodes, peak memory, against 100", sizes[1_000], sizes[100], LINEAR, "MB"),
    ]
    assert max(ratios) <= LINEAR


def test_status() -> None:
    told = {nodes: Told.of(nodes) for nodes in SIZES}
    told[100].status()
    shown("`status`", {n: seconds(t.status) for n, t in told.items()}, {n: peak(t.status) for n, t in told.items()})


def test_planning_with_grouping_auto() -> None:
    planned(10, "auto")
    work = {nodes: lambda nodes=nodes: planned(nodes, "auto") for nodes in SIZES}
    shown(
        "planning with grouping: auto", {n: seconds(w) for n, w in work.items()}, {n: peak(w) for n, w in work.items()}
    )


def test_bytes_of_a_step() -> None:
    """Of a step with one input, one output and two parameters, by part; the aims are 2.9, 28 and 2.1 KB."""
    nodes = [NodeFacts(n.name, (*n.inputs, "params:lr", "params:options"), n.outputs) for n in lanes(50)]
    values = {"lr": 0.1, "options": {"a": 1}}
    task = next(t for t in plan_of(nodes, parameters=values, tracking=True).tasks if t.name == "n-3-3")
    size = task_bytes(task, "demo", values)
    parts = {"component": component_of, "task": task_of, "container": container_of, "Kubernetes config": kubernetes_of}
    for name, text in parts.items():
        print(f"{name:<20} {len(text(task)):>7,}")
    for name, taken, aim in (
        ("spec", size.spec, 2_900),
        ("status", size.status, 28_000),
        ("compressed", size.compressed, 2_100),
    ):
        assert report(f"bytes of a step: {name}", taken, aim, 1.1, "B") <= 1.1
