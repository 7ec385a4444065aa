"""`grouping: auto`: so few steps that Argo keeps the run to its end, and that KFP's API tells their states."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kedro_kubeflow.plan.grouping import Group
from kedro_kubeflow.plan.grouping_rule import GroupingRule
from kedro_kubeflow.plan.plan import Plan
from kedro_kubeflow.plan.workflow import ROOM

_TRIES, _MARGIN = 6, 0.97
_FAR = 4


def with_states_told(plan: Plan, rule: GroupingRule, with_groups: Callable[[Sequence[Group]], Plan]) -> Plan:
    """The plan with so few steps that KFP's API tells their states to the end, where that costs no time; else as it is."""
    fewer, most = plan, len(plan.steps)
    for _ in range(_TRIES):
        if plan.target != "kubeflow" or fewer.workflow.states_are_told:
            return fewer
        wished = int((fewer.workflow.steps_that_are_told - (len(fewer.tasks) - len(fewer.steps))) * _MARGIN)
        if not 0 < wished < len(fewer.steps) <= _FAR * wished:
            return plan
        groups = rule.groups(plan.scope.nodes, most=most, wished=wished)
        if len(groups) > wished:
            return plan
        # What shares a step keeps its artifacts, so that each step is larger.
        fewer = with_groups(groups)
    return fewer if fewer.workflow.states_are_told else plan


def within_limit(plan: Plan, rule: GroupingRule, with_groups: Callable[[Sequence[Group]], Plan]) -> Plan:
    """The plan with fewer steps, until Argo keeps it to its end for certain; where nothing more can be merged, as it is."""
    for _ in range(_TRIES):
        if plan.workflow.has_room:
            break
        own = len(plan.tasks) - len(plan.steps)
        most = int((plan.workflow.steps_that_fit * ROOM - own) * _MARGIN)
        groups = rule.groups(plan.scope.nodes, most=max(min(most, len(plan.steps) - 1), 1))
        if len(groups) >= len(plan.steps):
            break
        plan = with_groups(groups)
    return plan
