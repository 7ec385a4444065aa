"""How long a run will take on a cluster, estimated, with this grouping and with others.

Argo starts a task's driver and its executor in beats of ten seconds, so that a task takes twenty seconds beside its work, however
small it is; the driver of the root, and of the group that the exit task watches, take a beat each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from kedro_kubeflow.plan.grouping import Group, makespan
from kedro_kubeflow.plan.grouping_rule import GroupingRule
from kedro_kubeflow.plan.nodes import NodeFacts
from kedro_kubeflow.plan.order import positions_of
from kedro_kubeflow.plan.plugin_tasks import GROUP
from kedro_kubeflow.plan.task import Task

BEAT = 10.0
"""Seconds (``DEFAULT_REQUEUE_TIME`` of Argo's controller)."""


@dataclass(frozen=True)
class Estimate:
    """A grouping and what comes of it.

    Attributes:
        grouping: the rule's name.
        steps: how many there are.
        seconds: how long the whole run takes where all steps run at once that can.
    """

    grouping: str
    steps: int
    seconds: float


@dataclass(frozen=True)
class Estimates:
    """Of the chosen grouping, and of those that go by time.

    Attributes:
        timed: how many of the nodes a run has timed; the others are taken to be short.
    """

    chosen: Estimate
    others: tuple[Estimate, ...] = ()
    nodes: int = 0
    timed: int = 0


@dataclass(frozen=True)
class Grouped:
    """The groups that are chosen, and the rule that they are made by."""

    rule: GroupingRule
    groups: tuple[Group, ...]


def estimates_of(
    grouped: Grouped, nodes: Sequence[NodeFacts], root: Sequence[Task], group: Sequence[Task]
) -> Estimates:
    """Estimate.

    Args:
        root: the plan's tasks at the root.
        group: those that the exit task watches.
    """
    rule, groups = grouped.rule, grouped.groups
    seconds, overhead = rule.seconds(nodes), float(rule.config.overhead)
    chosen = _run_seconds(root, group, seconds, overhead)
    around = chosen - makespan(groups, nodes, seconds, overhead)
    found = []
    for by in ("node", "chain", "auto"):
        other = groups if by == rule.config.by else rule.groups(nodes, by)
        found.append(Estimate(by, len(other), around + makespan(other, nodes, seconds, overhead)))
    timed = sum(node.name in (rule.times or {}) for node in nodes)
    return Estimates(Estimate(rule.config.by, len(groups), chosen), tuple(found), len(nodes), timed)


def _run_seconds(root: Sequence[Task], group: Sequence[Task], seconds: dict[str, float], overhead: float) -> float:
    """The longest way through all tasks, the drivers of the root and the group with it."""
    waits_for = {name: set(position.waits_for) for name, position in positions_of(root, group, GROUP).items()}
    nodes = {t.name: t.call.nodes if t.call and t.call.action == "run" else () for t in (*root, *group)}
    done: dict[str, float] = {}
    for name in TopologicalSorter(waits_for).static_order():
        work = overhead + sum(seconds.get(node, 0.0) for node in nodes[name])
        done[name] = work + max((done[other] for other in waits_for[name]), default=0.0)
    return max(done.values(), default=0.0) + BEAT * (2 if group else 1)
