"""When each task can run: after which others, and which can run at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from kedro_kubeflow.plan.task import Task


@dataclass(frozen=True)
class Position:
    """Where a task stands in the run.

    Attributes:
        order: tasks of one number can run at the same time; those of a higher one wait for some of them.
        waits_for: names of tasks.
    """

    order: int
    waits_for: tuple[str, ...]


def positions_of(root: Sequence[Task], group: Sequence[Task], group_name: str) -> dict[str, Position]:
    """Task name → its position; first those that run first.

    Args:
        root: tasks beside the group.
        group: tasks inside it: what the group waits for, its first tasks wait for.
        group_name: what tasks that wait for the whole group name.
    """
    inside, outside = {task.name for task in group}, {task.name for task in root}
    before = {name for task in group for name in task.upstream & outside}
    last = inside - {name for task in group for name in task.upstream}
    waits_for = {task.name: task.upstream & inside or before for task in group}
    for task in root:
        waits_for[task.name] = (task.upstream & outside) | (last if group_name in task.upstream else set())
    return _numbered(waits_for)


def _numbered(waits_for: Mapping[str, frozenset[str] | set[str]]) -> dict[str, Position]:
    orders: dict[str, int] = {}
    for name in TopologicalSorter(waits_for).static_order():
        orders[name] = 1 + max((orders[other] for other in waits_for[name]), default=0)
    return {name: Position(order, tuple(sorted(waits_for[name]))) for name, order in orders.items()}
