"""Whether groups are whole, and can run one after the other."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError as GraphCycle
from graphlib import TopologicalSorter

from kedro_kubeflow.errors import CompileError, CycleError, did_you_mean
from kedro_kubeflow.plan.grouping.group import Group
from kedro_kubeflow.plan.nodes import NodeFacts, base_name


def members_of(groups: Sequence[Group], nodes: Mapping[str, NodeFacts]) -> dict[str, tuple[str, ...]]:
    """Name → the group's nodes, in the order of the pipeline.

    Raises:
        CompileError: a node is in no group or in two, a group has an unknown node or none, or two groups have one name.
    """
    home: dict[str, str] = {}
    members: dict[str, list[str]] = {}
    for group in groups:
        if group.name in members:
            raise CompileError(f"Two groups of nodes are called {group.name!r}", cure="give the groups different names")
        members[group.name] = []
        for node in group.nodes:
            if node not in nodes:
                raise CompileError(f"The group {group.name!r} names the node {node!r}. {did_you_mean(node, nodes)}")
            if home.setdefault(node, group.name) != group.name:
                raise CompileError(
                    f"The node {node!r} is in two groups: {home[node]!r} and {group.name!r}",
                    cure="let each node be in one",
                )
    left = [name for name in nodes if name not in home]
    if left:
        raise CompileError(f"No group holds the nodes {', '.join(map(repr, left))}", cure="let each node be in one")
    for name in nodes:
        members[home[name]].append(name)
    empty = [group for group, names in members.items() if not names]
    if empty:
        raise CompileError(f"The group {empty[0]!r} has no nodes", cure="leave it out")
    return {group: tuple(names) for group, names in members.items()}


@dataclass(frozen=True)
class Edge:
    """A dataset that one step makes and another reads, and the nodes that do so."""

    dataset: str
    writer: str
    reader: str


def in_order(members: Mapping[str, Sequence[str]], nodes: Mapping[str, NodeFacts]) -> list[str]:
    """The groups' names in an order in which they can run.

    Raises:
        CycleError: there is none; says along which datasets and nodes.
    """
    edges = _edges(members, nodes)
    try:
        return list(TopologicalSorter({group: list(needs) for group, needs in edges.items()}).static_order())
    except GraphCycle as error:
        path = min((_round_trip(group, edges) for group in error.args[1]), key=len)
        raise _explained(path, edges) from None


def _edges(members: Mapping[str, Sequence[str]], nodes: Mapping[str, NodeFacts]) -> dict[str, dict[str, Edge]]:
    """Group → each group that it waits for, with the first dataset that it waits for."""
    home = {name: group for group, names in members.items() for name in names}
    writer = {base_name(d): node.name for node in nodes.values() for d in node.outputs}
    edges: dict[str, dict[str, Edge]] = {group: {} for group in members}
    for node in nodes.values():
        for dataset in map(base_name, node.inputs):
            maker = writer.get(dataset)
            if maker and home[maker] != home[node.name]:
                edges[home[node.name]].setdefault(home[maker], Edge(dataset, maker, node.name))
    return edges


def _round_trip(start: str, edges: Mapping[str, Collection[str]]) -> list[str]:
    """The shortest way from a group back to itself, each waiting for the one before it."""
    after: dict[str, str] = {}
    level = [start]
    while start not in after:
        level = [other for group in level for other in _fresh(group, edges, after)]
    path = [start, after[start]]
    while path[-1] != start:
        path.append(after[path[-1]])
    return path


def _fresh(group: str, edges: Mapping[str, Collection[str]], after: dict[str, str]) -> Iterable[str]:
    for other in edges[group]:
        if other not in after:
            after[other] = group
            yield other


def _explained(path: Sequence[str], edges: Mapping[str, Mapping[str, Edge]]) -> CycleError:
    hops = [(maker, reader, edges[reader][maker]) for maker, reader in itertools.pairwise(path)]
    lines = [
        f"  {maker!r} makes {edge.dataset!r} (node {edge.writer!r}) and {reader!r} reads it (node {edge.reader!r})"
        for maker, reader, edge in hops
    ]
    way = " → ".join(map(repr, path))
    return CycleError("\n".join([f"The steps would wait for each other: {way}", *lines]), cure=_cure(hops))


def _cure(hops: Sequence[tuple[str, str, Edge]]) -> str:
    """Name the group that the way enters by one node and leaves by another; there is one, as nodes have no cycle."""
    group, coming, going = next(
        (group, coming, going)
        for (_, group, coming), (_, _, going) in zip([*hops[-1:], *hops[:-1]], hops, strict=True)
        if coming.reader != going.writer
    )
    between = sorted({edge.reader for _, reader, edge in hops if reader != group})
    return (
        f"let {going.writer!r} and {coming.reader!r} not share the step {group!r}, or put what stands between them into "
        f"it too ({', '.join(map(repr, between))})"
    )
