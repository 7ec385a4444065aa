"""Which nodes share a step.

A group is a list of nodes that run in one pod, one after the other, by Kedro's own runner. This room knows only names: what
the nodes are called, what they read and write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class NodeFacts:
    """What grouping may know of a Kedro node.

    Attributes:
        inputs: dataset names as the node declares them, transcoding included, parameters left out.
        outputs: likewise.
        pipelines: the registered pipelines that hold the node, ``__default__`` left out, sorted.
    """

    name: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    namespace: str | None = None
    pipelines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Nodes that share a step, in an order in which they can run; the title is what people see."""

    title: str
    nodes: tuple[str, ...]


def by_node(nodes: Sequence[NodeFacts]) -> list[Group]:
    """A step a node."""
    return [Group(node.name, (node.name,)) for node in nodes]
