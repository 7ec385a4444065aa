"""What is checked before a pipeline is planned: the facts, the configuration, and what would run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.plan import Plan
from kedro_kubeflow.plan.nodes import base_name
from kedro_kubeflow.plan.scope import Scope
from kedro_kubeflow.project.catalog import Entry
from kedro_kubeflow.project.facts import Facts


@dataclass(frozen=True)
class Subject:
    """What is checked.

    Attributes:
        step_of: node → the step that it is in, as far as a plan says; each node is one of its own where none does.
    """

    facts: Facts
    config: KubeflowConfig
    scope: Scope
    step_of: Mapping[str, str] = field(default_factory=dict)

    def planned(self, plan: Plan) -> Subject:
        """The same, and which nodes share a step."""
        return replace(self, step_of={node.name: step.name for step in plan.steps for node in step.nodes})

    def catalog_entries(self) -> list[tuple[str, Entry]]:
        """The entry of every dataset that a pod uses, once, by the name that the catalog knows."""
        names = self.scope.catalog_names
        return list({names.get(d, d): entry for d, entry in self.scope.every_entry.items()}.items())

    def read_elsewhere(self, dataset: str) -> str | None:
        """The first node that reads a dataset in another step than the one that writes it; None where none does."""
        base = base_name(dataset)
        writer = self.scope.writers.get(base)
        for node in self.scope.every_node if writer else ():
            reads = any(base_name(d) == base for d in node.datasets)
            if reads and self._step(node.name) != self._step(writer or ""):
                return node.name
        return None

    def comes_first(self, dataset: str, writer: str) -> bool:
        """Whether all nodes that read a dataset come before a node, in the order in which Kedro would run them."""
        order = [node.name for node in self.scope.every_node]
        readers = [node.name for node in self.scope.every_node if dataset in map(base_name, node.datasets)]
        return all(order.index(reader) < order.index(writer) for reader in readers)

    def readers(self, dataset: str) -> list[str]:
        """The first node of each step that reads a dataset."""
        base, found = base_name(dataset), dict[str, str]()
        for node in self.scope.every_node:
            if any(base_name(d) == base for d in node.datasets):
                found.setdefault(self._step(node.name), node.name)
        return list(found.values())

    def _step(self, node: str) -> str:
        return self.step_of.get(node, node)
