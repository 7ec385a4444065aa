"""The configured grouping, applied to a pipeline's nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kedro_kubeflow.config.grouping import GroupingConfig
from kedro_kubeflow.plan import grouping
from kedro_kubeflow.plan.grouping import Group
from kedro_kubeflow.plan.handoff import Handoff
from kedro_kubeflow.plan.nodes import NodeFacts, base_name


def groups_of(
    config: GroupingConfig,
    nodes: Sequence[NodeFacts],
    handoffs: Mapping[str, Handoff],
    registered: Mapping[str, Any],
) -> list[Group]:
    """Which nodes share a step.

    Args:
        nodes: the nodes that will run.
        handoffs: how each of their datasets travels.
        registered: every pipeline of the project.

    Raises:
        CompileError: a node would be in two groups, or the project's own rule fails.
        ConfigError: there is no such rule.
    """
    rules = {
        "node": lambda: grouping.by_node(nodes),
        "all": lambda: grouping.all_together(nodes),
        "namespace": lambda: grouping.by_namespace(nodes, config.depth),
        "tag": lambda: grouping.by_tag(nodes, config.prefix),
        "pipeline": lambda: grouping.by_pipeline(nodes, _node_names(registered), config.pipelines),
        "memory": lambda: grouping.by_memory(nodes, {base_name(d) for d, h in handoffs.items() if h.kind == "memory"}),
    }
    rule = rules.get(config.by)
    return rule() if rule else grouping.by_custom(nodes, config.by, config.params)


def _node_names(registered: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    return {name: frozenset(node.name for node in pipeline.nodes) for name, pipeline in registered.items()}
