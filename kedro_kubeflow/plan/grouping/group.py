"""A group of nodes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """Nodes that share a step, and what people call it."""

    name: str
    nodes: tuple[str, ...]
