"""Compiling 500 nodes in layers, against the same DAG written by hand with kfp.dsl."""

# No `from __future__ import annotations` here: kfp.dsl reads the annotations themselves.

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from kfp import compiler, dsl
from plans import plan_of

from kedro_kubeflow.compiler import compile_plan
from kedro_kubeflow.plan.grouping import NodeFacts

from .measured import alternating, report

LAYERS, WIDTH = 50, 10
pytestmark = pytest.mark.benchmark


def nodes() -> list[NodeFacts]:
    """Each node reads two datasets of the layer before."""
    return [
        NodeFacts(
            f"node_{layer}_{place}",
            ("params:lr", f"d_{layer - 1}_{place}", f"d_{layer - 1}_{(place + 1) % WIDTH}")
            if layer
            else ("params:lr",),
            (f"d_{layer}_{place}",),
        )
        for layer in range(LAYERS)
        for place in range(WIDTH)
    ]


def ours(target: Path) -> None:
    facts = nodes()
    target.write_text(compile_plan(plan_of(facts, parameters={"lr": 0.1})).text)


def by_hand(target: Path) -> None:
    @dsl.container_component
    def first(lr: float, out: dsl.Output[dsl.Dataset]) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(image="img", command=["python", "-m", "work"], args=["--out", out.path, "--lr", lr])

    @dsl.container_component
    def later(
        lr: float, left: dsl.Input[dsl.Dataset], right: dsl.Input[dsl.Dataset], out: dsl.Output[dsl.Dataset]
    ) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(
            image="img", command=["python", "-m", "work"], args=[left.path, right.path, "--out", out.path, "--lr", lr]
        )

    @dsl.pipeline(name="p")
    def pipeline(lr: float = 0.1) -> None:
        before: list[Any] = []
        for layer in range(LAYERS):
            row = []
            for place in range(WIDTH):
                if layer:
                    left, right = before[place], before[(place + 1) % WIDTH]
                    task = later(lr=lr, left=left.outputs["out"], right=right.outputs["out"])
                else:
                    task = first(lr=lr)
                task.set_display_name(f"node_{layer}_{place}").set_caching_options(False)
                row.append(task)
            before = row

    compiler.Compiler().compile(pipeline, str(target))


def peak(work: Any, target: Path) -> float:
    tracemalloc.start()
    work(target)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


def test_time_and_memory(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "ours.yaml", tmp_path / "by_hand.yaml"
    seconds = alternating(lambda: ours(mine), lambda: by_hand(theirs), times=3)
    assert mine.read_text().count("executorLabel") == LAYERS * WIDTH
    report("compile 500 nodes, seconds, against kfp.dsl by hand", *seconds, aim=1.3)
    report(
        "compile 500 nodes, peak memory, against kfp.dsl by hand", peak(ours, mine), peak(by_hand, theirs), 1.5, "MB"
    )
