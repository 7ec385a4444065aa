"""What runs in pods: the nodes that were asked for, and those of the exit pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro_kubeflow.plan.compile import Source
from kedro_kubeflow.plan.dag import is_parameter
from kedro_kubeflow.plan.grouping import NodeFacts, base_name

Entry = Mapping[str, Any] | None


def nodes_of(source: Source) -> list[NodeFacts]:
    """Every node that runs in a pod."""
    return [*source.nodes, *(source.exit_pipeline.nodes if source.exit_pipeline else ())]


def entries_of(source: Source) -> dict[str, Entry]:
    """The catalog entry of every dataset that a pod uses."""
    return {**source.entries, **(source.exit_pipeline.entries if source.exit_pipeline else {})}


def writers_of(source: Source) -> dict[str, str]:
    """Dataset, by its base name → the node that makes it."""
    return {base_name(d): node.name for node in nodes_of(source) for d in node.outputs}


def readers_of(source: Source) -> dict[str, str]:
    """Dataset, by its base name → the first node that reads it."""
    nodes = reversed(nodes_of(source))
    return {base_name(d): node.name for node in nodes for d in node.inputs if not is_parameter(d)}
