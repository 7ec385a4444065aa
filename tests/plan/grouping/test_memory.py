"""Nodes that datasets in memory connect."""

from __future__ import annotations

import random

from kedro_kubeflow.plan.grouping import NodeFacts, by_memory
from kedro_kubeflow.plan.grouping.memory import strongly_connected


def node(name: str, inputs: str = "", outputs: str = "") -> NodeFacts:
    return NodeFacts(name, tuple(inputs.split()), tuple(outputs.split()))


def groups(nodes: list[NodeFacts], in_memory: str) -> dict[str, tuple[str, ...]]:
    return {g.name: g.nodes for g in by_memory(nodes, set(in_memory.split()))}


def test_memory_connects_and_files_separate() -> None:
    nodes = [node("a", "raw", "m"), node("b", "m", "file"), node("c", "file", "m2"), node("d", "m2 m3", "out")]
    assert groups(nodes, "m m2 m3 out raw") == {"a+1": ("a", "b"), "c+1": ("c", "d")}


def test_readers_of_one_dataset_run_with_its_writer() -> None:
    assert groups([node("a", "", "m"), node("b", "m"), node("c", "m")], "m") == {"a+2": ("a", "b", "c")}


def test_data_in_memory_that_nobody_makes_connects_nobody() -> None:
    assert groups([node("a", "given"), node("b", "given")], "given") == {"a": ("a",), "b": ("b",)}


def test_transcoded_names_are_one_dataset() -> None:
    assert groups([node("a", "", "m@x"), node("b", "m@y")], "m") == {"a+1": ("a", "b")}


def test_what_stands_between_two_nodes_joins_them() -> None:
    nodes = [node("a", "", "m f"), node("between", "f", "g"), node("b", "m g", "h"), node("after", "h")]
    assert groups(nodes, "m") == {"a+2": ("a", "between", "b"), "after": ("after",)}


def test_a_ring_of_memory_groups_becomes_one() -> None:
    # x1 and x2 share memory, y1 and y2 too; files lead from x to y and from y to x.
    nodes = [node("x1", "", "mx f"), node("y1", "f", "my g"), node("x2", "mx g"), node("y2", "my")]
    assert groups(nodes, "mx my") == {"x1+3": ("x1", "y1", "x2", "y2")}


def test_long_chains_need_no_recursion() -> None:
    nodes = [node(f"n{i}", f"d{i - 1}", f"d{i}") for i in range(5000)]
    assert [len(names) for names in groups(nodes, " ".join(f"d{i}" for i in range(5000))).values()] == [5000]


def test_strongly_connected_against_reachability() -> None:
    for seed in range(30):
        draw = random.Random(seed)
        graph = {v: [w for w in range(8) if draw.random() < 0.2] for v in range(8)}
        reach = {v: {v} for v in graph}
        for _ in graph:
            reach = {v: seen | {x for w in seen for x in graph[w]} for v, seen in reach.items()}
        part = strongly_connected(graph)
        for v in graph:
            for w in graph:
                assert (part[v] == part[w]) == (w in reach[v] and v in reach[w]), (seed, v, w)
