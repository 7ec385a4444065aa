"""What grouping knows: nodes by name, and the groups that they are put into."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NodeFacts:
    """What grouping may know of a Kedro node.

    Attributes:
        inputs: dataset and parameter names as the node declares them, transcoding included.
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
    """Nodes that share a step; the title is what people see."""

    title: str
    nodes: tuple[str, ...]


def base_name(dataset: str) -> str:
    """A dataset's name without its transcoding (``data@pandas`` → ``data``)."""
    return dataset.split("@", 1)[0]
