"""The steps of a run, read out of what the server tells of its tasks.

KFP's server makes ``task_details`` of Argo's workflow nodes: for each step there is a driver, a node with the step's name,
and below it a node called ``executor``; groups and the whole graph are nodes too. Which of them are steps, and which steps
have not begun, only the pipeline's spec says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

NOT_STARTED = "WAITING"
"""Ours: the server does not mention steps that have not begun."""

_DRIVER = re.compile(r"(root|executor|.*-driver(\(\d+\))?)$")


@dataclass(frozen=True)
class StepName:
    """A step of a spec: its name as a task, and what people call it."""

    task: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a run.

    Attributes:
        state: KFP's runtime state, or ``WAITING``.
        pods: names under which the pod of the step's own code may be found, the likeliest first.
    """

    name: str
    title: str
    state: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    pods: tuple[str, ...] = ()


def step_names(spec: Mapping[str, Any]) -> tuple[StepName, ...]:
    """The steps of a compiled pipeline in an order in which they can run, groups laid open."""
    ir = spec.get("pipeline_spec", spec)
    dag = ir.get("root", {}).get("dag", {})
    return tuple(_names(dag.get("tasks", {}), ir.get("components", {})))


def _names(tasks: Mapping[str, Any], components: Mapping[str, Any]) -> Iterator[StepName]:
    waiting = dict(sorted(tasks.items()))
    while waiting:
        ready = [n for n, task in waiting.items() if not set(task.get("dependentTasks", ())) & set(waiting)]
        for name in ready or list(waiting):
            task = waiting.pop(name)
            component = components.get(task.get("componentRef", {}).get("name", ""), {})
            if "dag" in component:
                yield from _names(component["dag"].get("tasks", {}), components)
            else:
                yield StepName(name, task.get("taskInfo", {}).get("name") or name)


def steps_of(details: Sequence[Any], names: Sequence[StepName]) -> tuple[Step, ...]:
    """The steps of a run.

    Args:
        details: ``task_details`` of the generated client.
        names: the steps of the spec; without them every task that is not plainly KFP's own is taken for a step.
    """
    by_name = {str(task.display_name): task for task in details if task.display_name}
    if not names:
        names = [StepName(n, n) for n in by_name if not _DRIVER.match(n) and not _is_workflow(n, by_name)]
    return tuple(_step(name, by_name.get(name.task) or by_name.get(name.title)) for name in names)


def _is_workflow(name: str, tasks: Mapping[str, Any]) -> bool:
    """Whether a node is the whole workflow: the nodes below the others are called after it."""
    below = [child.pod_name or "" for task in tasks.values() for child in task.child_tasks or ()]
    return any(pod.startswith(f"{name}-") for pod in below)


def _step(name: StepName, task: Any) -> Step:
    if task is None:
        return Step(name=name.task, title=name.title, state=NOT_STARTED)
    state = str(task.state or NOT_STARTED)
    return Step(
        name=name.task,
        title=name.title,
        state=NOT_STARTED if state == "RUNTIME_STATE_UNSPECIFIED" else state,
        started_at=_real(task.start_time),
        finished_at=_real(task.end_time),
        error=error_text(task),
        pods=tuple(_pods(task)),
    )


def _real(when: datetime | None) -> datetime | None:
    """A time that is one: the server writes the year 1970 or 1 where there is none."""
    return when if when and when.year > 1970 else None


def error_text(thing: Any) -> str | None:
    """What the server says of an error of a run or a task, if it says anything."""
    found = [getattr(thing, "error", None), *(getattr(s, "error", None) for s in thing.state_history or ())]
    said = [str(e.message) for e in found if e is not None and e.message]
    return said[-1] if said else None


def _pods(task: Any) -> Iterator[str]:
    """Children are told by Argo's node id; a pod's name has its template between the workflow's name and the hash."""
    if task.pod_name:
        yield task.pod_name
    for child in task.child_tasks or ():
        workflow, dash, digits = (child.pod_name or "").rpartition("-")
        if dash and digits.isdigit():
            yield f"{workflow}-system-container-impl-{digits}"
        if child.pod_name:
            yield child.pod_name
