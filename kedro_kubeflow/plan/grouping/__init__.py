"""Which nodes share a step.

A group is a list of nodes that run in one pod, by one of Kedro's own runners. This room knows only names: what the nodes
are called, what they read and write, how they are tagged. Every rule gives each node to exactly one group; whether the
groups can run one after the other is for ``dag`` to find out.
"""

from kedro_kubeflow.plan.grouping.facts import Group, NodeFacts, base_name
from kedro_kubeflow.plan.grouping.memory import by_memory
from kedro_kubeflow.plan.grouping.own import by_own
from kedro_kubeflow.plan.grouping.rules import all_together, by_namespace, by_node, by_pipeline, by_tag

__all__ = [
    "Group",
    "NodeFacts",
    "all_together",
    "base_name",
    "by_memory",
    "by_namespace",
    "by_node",
    "by_own",
    "by_pipeline",
    "by_tag",
]
