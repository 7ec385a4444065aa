"""Which nodes share a step.

A group is a list of nodes that run in one pod, by one of Kedro's own runners. This room knows only names: what the nodes
are called, what they read and write, how they are tagged. Every rule gives each node to exactly one group; whether the
groups can run one after the other is for ``steps`` to find out.
"""

from kedro_kubeflow.plan.grouping.auto import by_auto, makespan
from kedro_kubeflow.plan.grouping.chain import Fits, by_chain
from kedro_kubeflow.plan.grouping.custom import by_custom
from kedro_kubeflow.plan.grouping.group import Group
from kedro_kubeflow.plan.grouping.memory import by_memory
from kedro_kubeflow.plan.grouping.rules import all_together, by_namespace, by_node, by_pipeline, by_tag
from kedro_kubeflow.plan.nodes import NodeFacts, base_name

__all__ = [
    "Fits",
    "Group",
    "NodeFacts",
    "all_together",
    "base_name",
    "by_auto",
    "by_chain",
    "by_custom",
    "by_memory",
    "by_namespace",
    "by_node",
    "by_pipeline",
    "by_tag",
    "makespan",
]
