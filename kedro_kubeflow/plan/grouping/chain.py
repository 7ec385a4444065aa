"""Nodes that stand one behind the other, with nothing beside them, share a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kedro_kubeflow.plan.grouping.group import Group
from kedro_kubeflow.plan.nodes import NodeFacts, base_name

Fits = Callable[[str, str], bool]
"""Whether two nodes, by name, may share a step, as what they are given is the same."""


def by_chain(nodes: Sequence[NodeFacts], fits: Fits) -> list[Group]:
    """A step for each chain: the node before has no other reader, the one after waits for no other.

    Nothing runs side by side any less: what shares a step would have waited for each other anyway.
    """
    before, after = _nearest(neighbours(nodes)[0])
    chains: dict[int, list[int]] = {}
    head_of: dict[int, int] = {}
    for index, node in enumerate(nodes):
        upstream = before[index]
        alone = len(upstream) == 1 and len(after[next(iter(upstream))]) == 1
        head = head_of[next(iter(upstream))] if alone else index
        if head != index and not fits(nodes[chains[head][-1]].name, node.name):
            head = index
        head_of[index] = head
        chains.setdefault(head, []).append(index)
    return [named([nodes[i].name for i in members]) for members in chains.values()]


def _nearest(before: Sequence[set[int]]) -> tuple[list[set[int]], list[set[int]]]:
    """Who waits for whom, without what follows from it: what waits for b, which waits for a, waits for a anyway.

    The transitive reduction of the graph. Nodes stand in an order in which they can run.
    """
    all_before = [0] * len(before)  # A bit for each node that comes before.
    for i, near in enumerate(before):
        for one in near:
            all_before[i] |= all_before[one] | 1 << one
    reduced = [{one for one in near if not any(all_before[other] >> one & 1 for other in near)} for near in before]
    after: list[set[int]] = [set() for _ in before]
    for i, near in enumerate(reduced):
        for one in near:
            after[one].add(i)
    return reduced, after


def neighbours(nodes: Sequence[NodeFacts]) -> tuple[list[set[int]], list[set[int]]]:
    """Of each node, by its index: those whose data it reads, and those that read its data."""
    writer = {base_name(d): i for i, node in enumerate(nodes) for d in node.outputs}
    before = [
        {writer[base_name(d)] for d in node.inputs if base_name(d) in writer} - {i} for i, node in enumerate(nodes)
    ]
    after: list[set[int]] = [set() for _ in nodes]
    for reader, writers in enumerate(before):
        for one in writers:
            after[one].add(reader)
    return before, after


def named(names: Sequence[str]) -> Group:
    """A group that is called as its first node, and how many more there are."""
    return Group(names[0] if len(names) == 1 else f"{names[0]}+{len(names) - 1}", tuple(names))
