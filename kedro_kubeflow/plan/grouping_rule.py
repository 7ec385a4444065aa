"""The configured grouping, applied to a pipeline's nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kedro_kubeflow.config.grouping import GroupingConfig
from kedro_kubeflow.plan import grouping
from kedro_kubeflow.plan.grouping import Fits, Group
from kedro_kubeflow.plan.handoff import Handoff
from kedro_kubeflow.plan.nodes import NodeFacts, base_name


@dataclass(frozen=True, kw_only=True)
class GroupingRule:
    """What groups are made by.

    Attributes:
        handoffs: how each dataset travels.
        registered: every pipeline of the project.
        fits: whether two nodes may share a step, as what they are given is the same.
        times: how many seconds nodes took, as far as a run has timed them.
    """

    config: GroupingConfig
    handoffs: Mapping[str, Handoff]
    registered: Mapping[str, Any]
    fits: Fits = lambda _, __: True
    times: Mapping[str, float] | None = None

    def seconds(self, nodes: Sequence[NodeFacts]) -> dict[str, float]:
        """How long each node is taken to run."""
        known = self.times or {}
        return {node.name: known.get(node.name, float(self.config.assume)) for node in nodes}

    def groups(
        self, nodes: Sequence[NodeFacts], by: str | None = None, most: int | None = None, wished: int | None = None
    ) -> list[Group]:
        """Which nodes share a step.

        Args:
            nodes: the nodes that will run.
            by: a rule in place of the configured one.
            most: how many steps there may be; for `auto`.
            wished: how many steps there are better no more of, where that costs no time; for `auto`.

        Raises:
            CompileError: a node would be in two groups, or the project's own rule fails.
            ConfigError: there is no such rule.
        """
        config = self.config
        rules = {
            "node": lambda: grouping.by_node(nodes),
            "chain": lambda: grouping.by_chain(nodes, self.fits),
            "auto": lambda: grouping.by_auto(
                nodes, self.seconds(nodes), float(config.overhead), self.fits, most, wished
            ),
            "all": lambda: grouping.all_together(nodes),
            "namespace": lambda: grouping.by_namespace(nodes, config.depth),
            "tag": lambda: grouping.by_tag(nodes, config.prefix),
            "pipeline": lambda: grouping.by_pipeline(nodes, _node_names(self.registered), config.pipelines),
            "memory": lambda: grouping.by_memory(
                nodes, {base_name(d) for d, h in self.handoffs.items() if h.kind == "memory"}
            ),
        }
        rule = rules.get(by or config.by)
        return rule() if rule else grouping.by_custom(nodes, config.by, config.params)


def _node_names(registered: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    return {name: frozenset(node.name for node in pipeline.nodes) for name, pipeline in registered.items()}
