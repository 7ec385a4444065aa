"""Reading, planning, checking the size of, and compiling 100, 300 and 1,000 nodes: time and memory grow with the nodes."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable

import pytest
from plans import plan_of

from kedro_kubeflow.compiler import compile_plan
from kedro_kubeflow.plan.grouping import NodeFacts
from kedro_kubeflow.plan.workflow import component_of, container_of, kubernetes_of, task_bytes, task_of

from .measured import report

pytestmark = pytest.mark.benchmark
SIZES = (100, 300, 1_000)
# Ten times the nodes may take so many times as long, or as much.
LINEAR = 13


def lanes(nodes: int) -> list[NodeFacts]:
    return [
        NodeFacts(f"n_{lane}_{i}", ((f"d_{lane}_{i - 1}",) if i else ("raw",)), (f"d_{lane}_{i}",))
        for i in range(nodes // 10)
        for lane in range(10)
    ]


def plan(nodes: int, by: str = "node") -> object:
    made = plan_of(lanes(nodes), run_config={"grouping": by}, tracking=True)
    assert made.workflow.tasks
    return made


def compiled(nodes: int) -> object:
    return compile_plan(plan_of(lanes(nodes), tracking=True)).text


WORK: dict[str, Callable[[int], object]] = {
    "plan": plan,
    "plan, grouping: auto": lambda nodes: plan(nodes, "auto"),
    "compile": compiled,
}


def seconds(work: Callable[[int], object], nodes: int) -> float:
    found = []
    for _ in range(3):
        gc.collect()
        gc.disable()  # Its passes over all objects are the interpreter's, and grow faster than the objects.
        since = time.process_time()
        work(nodes)
        found.append(time.process_time() - since)
        gc.enable()
    return min(found)


def peak(work: Callable[[int], object], nodes: int) -> float:
    tracemalloc.start()
    work(nodes)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


@pytest.mark.parametrize("what", WORK)
def test_growth(what: str) -> None:
    work = WORK[what]
    work(10)
    times = {nodes: seconds(work, nodes) for nodes in SIZES}
    print({nodes: round(value, 2) for nodes, value in times.items()})
    assert report(f"{what} 1,000 nodes, against 100", times[1_000], times[100], LINEAR) <= LINEAR
    most = report(f"{what} 1,000 nodes, peak memory, against 100", peak(work, 1_000), peak(work, 100), LINEAR, "MB")
    assert most <= LINEAR


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
