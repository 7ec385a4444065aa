"""Nodes that hand data to each other in memory run together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from kedro_kubeflow.plan.grouping.group import Group
from kedro_kubeflow.plan.nodes import NodeFacts, base_name

Graph = Mapping[int, Iterable[int]]


def by_memory(nodes: Sequence[NodeFacts], in_memory: Collection[str]) -> list[Group]:
    """A step for each set of nodes that datasets in memory connect.

    What stands between two nodes of a set joins it: otherwise the step would have to wait for itself. A step of several
    nodes is called as its first node and how many more there are.

    Args:
        in_memory: base names of the datasets that the catalog does not store.
    """
    writer = {base_name(d): i for i, node in enumerate(nodes) for d in node.outputs}
    reads = [sorted({base_name(d) for d in node.inputs} & writer.keys()) for node in nodes]
    joined: dict[int, list[int]] = {i: [] for i in range(len(nodes))}
    for reader, datasets in enumerate(reads):
        for dataset in datasets:
            if dataset in in_memory:
                joined[reader].append(writer[dataset])
                joined[writer[dataset]].append(reader)
    # A set is a strongly connected part of the graph whose edges in memory lead both ways.
    for reader, datasets in enumerate(reads):
        joined[reader] += [writer[dataset] for dataset in datasets if dataset not in in_memory]
    parts = strongly_connected(joined)
    members: dict[int, list[str]] = {}
    for index, node in enumerate(nodes):
        members.setdefault(parts[index], []).append(node.name)
    return [Group(_group_name(names), tuple(names)) for names in members.values()]


def strongly_connected(graph: Graph) -> dict[int, int]:
    """Vertex → a number that it shares with exactly those that it reaches and that reach it; in linear time.

    Kosaraju's algorithm, without recursion: pipelines may be long.
    """
    reverse: dict[int, list[int]] = {vertex: [] for vertex in graph}
    for vertex, following in graph.items():
        for other in following:
            reverse[other].append(vertex)
    part: dict[int, int] = {}
    for number, root in enumerate(reversed(_finished(graph))):
        stack = [root]
        while stack:
            vertex = stack.pop()
            if vertex not in part:
                part[vertex] = number
                stack += reverse[vertex]
    return part


def _finished(graph: Graph) -> list[int]:
    """The vertices in the order in which a depth-first search is done with them."""
    order: list[int] = []
    seen: set[int] = set()
    for root in graph:
        if root in seen:
            continue
        seen.add(root)
        stack = [(root, iter(graph[root]))]
        while stack:
            vertex, following = stack[-1]
            fresh = next((v for v in following if v not in seen), None)
            if fresh is None:
                stack.pop()
                order.append(vertex)
            else:
                seen.add(fresh)
                stack.append((fresh, iter(graph[fresh])))
    return order


def _group_name(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]}+{len(names) - 1}"
