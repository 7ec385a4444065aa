"""The steps of a run, read out of what the server tells of its tasks.

KFP's server makes ``task_details`` of Argo's workflow nodes: for each step there is a driver, a node with the step's name,
and below it a node called ``executor``; groups and the whole graph are nodes too. Which of them are steps, and which steps
have not begun, only the pipeline's spec says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from kedro_kubeflow.targets.base.run import ENDED, State, Step, state_of
from kedro_kubeflow.targets.base.spec import ordered_steps
from kedro_kubeflow.targets.kubeflow.nodes import Place, Workflow, fnv, places

UNFINISHED = frozenset({"PENDING", "RUNNING", "PAUSED", "CANCELING"})

_OF_KFP = frozenset({"root", "root-driver", "executor"})
_HANDLER = re.compile(r"exit-handler-\d+")
_COUNTED = re.compile(r"\(\d+\)$")


@dataclass(frozen=True)
class StepName:
    """A step of a spec: its name as a task, what people call it, and where it stands."""

    task: str
    display_name: str
    place: Place = field(default_factory=lambda: Place(""))


@dataclass(frozen=True, kw_only=True)
class PodStep(Step):
    """A step of a run. ``PENDING``: its pod waits. ``SKIPPED``: it never ran.

    Attributes:
        pods: names of the pods of the step's own code, the latest attempt's first.
        driver: the pod that ran before them.
    """

    pods: tuple[str, ...] = ()
    driver: str | None = None
    driving: bool = False
    """Whether it is the driver that waits, or runs, and not yet the step itself."""
    driver_failed: bool = False

    @property
    def waiting_pod(self) -> str | None:
        """The pod that it waits for, while it is PENDING."""
        return self.driver if self.driving else next(iter(self.pods), None)

    @property
    def begun(self) -> bool:
        """Whether it has anything to tell."""
        return self.state not in ("WAITING", "PENDING", "SKIPPED", "CACHED")

    @property
    def finished(self) -> bool:
        """Whether its state will not change any more, unless the run is retried."""
        return self.state in ENDED


@dataclass(frozen=True)
class Asked:
    """What a compiled pipeline asks for, as far as a run is understood by it.

    Attributes:
        steps: in an order in which they can run, groups laid open; empty where the spec is not known any more.
        deadline: seconds that the whole run may take.
    """

    steps: tuple[StepName, ...] = ()
    deadline: int | None = None

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Asked:
        """Read a spec, or spec and platform half together."""
        ir = spec.get("pipeline_spec", spec)
        where = places(spec)
        platforms = (spec.get("platform_spec") or {}).get("platforms") or {}
        config = (platforms.get("kubernetes") or {}).get("pipelineConfig") or {}
        return cls(
            tuple(StepName(t, title, where[t]) for t, title in ordered_steps(ir)), config.get("activeDeadlineSeconds")
        )


@dataclass(frozen=True)
class Details:
    """What the server tells of the tasks of a run: ``task_details`` of the generated client."""

    tasks: Sequence[Any]

    @cached_property
    def by_name(self) -> dict[str, Any]:
        """The tasks by their names; those of pods are told apart in `executors`."""
        return {str(task.display_name): task for task in self.tasks if task.display_name}

    @cached_property
    def workflow(self) -> Workflow:
        """The Workflow, as the ids of its nodes betray it."""
        ids = [child.pod_name or "" for task in self.tasks for child in task.child_tasks or ()]
        parts = [(name, digits) for name, dash, digits in (i.rpartition("-") for i in ids) if dash and digits.isdigit()]
        if not parts:
            return Workflow()
        name = parts[0][0]
        return Workflow(name, f"{name}(0)" in self.by_name, frozenset(int(digits) for _, digits in parts))

    @property
    def latest(self) -> datetime | None:
        """When anything last happened to a task, as far as the server knows."""
        moments = [m for task in self.tasks for m in (task.start_time, task.end_time) if real_time(m)]
        moments += [s.update_time for task in self.tasks for s in task.state_history or () if real_time(s.update_time)]
        return max(moments, default=None)

    def tell_the_end(self, *, failed: bool) -> bool:
        """Whether all that has begun has ended, as far as the server knows, and in a failed run something has failed."""
        states = {str(task.state) for task in self.tasks}
        return not states & UNFINISHED and (not failed or "FAILED" in states)

    def waits(self, place: Place) -> bool:
        """Whether the pod of a task that runs has not begun; False too where the server's words leave it open.

        Pods are told as ``executor(0)`` without a word of whose they are. The node above one is known by its child, and
        begins in the same second.
        """
        if not place.driven or not self.workflow.name:
            return False
        executor = next(place.executors(self.workflow))
        shown = "executor(0)" if self.workflow.counted else "executor"
        above = self._above.get(fnv(executor)) if self.workflow.counted else self.by_name.get(place.task)
        if above is None:
            return False
        pods = self._beginning.get((shown, above.start_time), ())
        return bool(pods) and all(str(t.state) == "PENDING" for t in pods)

    def waiting_driver(self, names: Sequence[StepName]) -> str | None:
        """The pod that opens the graph or a group of it, if that waits; no step can begin before it."""
        groups = {name.place.groups[:depth] for name in names for depth in range(len(name.place.groups) + 1)}
        for group in sorted({(), *groups}, key=len):
            if any(part.endswith(".onExit") for part in group) or not self.workflow.name:
                continue
            name = f"{group[-1] if group else 'root'}-driver"
            driver = self.by_name.get(self.workflow.first(name))
            if driver is not None and str(driver.state) == "PENDING":
                return Place(name, group[:-1]).opening_pod(self.workflow, top=not group)
        return None

    @property
    def never_opened(self) -> bool:
        """Whether the pod that opens the graph could not be made, or failed: then no step has begun, or will."""
        states = {
            name: {str(t.state) for t in self.tasks if t.display_name == name} for name in ("root-driver", "root")
        }
        # What Argo leaves out has no state.
        return states["root-driver"] == {"FAILED"} and states["root"] <= {"None", ""}

    def cached(self, place: Place) -> bool:
        """Whether a task that has succeeded came from the cache: it has a node for its pod, and no pod."""
        if not place.driven or not self.workflow.counted:
            return False
        nodes = [f"{attempt}.executor" for attempt in self.workflow.attempts(place.path(self.workflow))]
        return self.workflow.has(nodes[0]) and not self.workflow.has(f"{nodes[0]}(0)")

    @cached_property
    def _beginning(self) -> dict[tuple[str, datetime | None], list[Any]]:
        """The tasks by their names and the second in which they began."""
        found: dict[tuple[str, datetime | None], list[Any]] = {}
        for task in self.tasks:
            found.setdefault((str(task.display_name), task.start_time), []).append(task)
        return found

    @cached_property
    def _above(self) -> dict[int, Any]:
        """The node above each node, by the hash of the lower one's name."""
        return {
            int(digits): task
            for task in self.tasks
            for child in task.child_tasks or ()
            if (digits := (child.pod_name or "").rpartition("-")[2]).isdigit()
        }


def steps_of(details: Details, names: Sequence[StepName]) -> tuple[PodStep, ...]:
    """The steps of a run, as far as the server tells of them.

    Args:
        names: the steps of the spec; without them the tasks with a driver are taken for steps.
    """
    return tuple(_step(name, details) for name in names or _guessed(details))


def _guessed(details: Details) -> list[StepName]:
    """The steps of a spec that is gone: the tasks that have an ``executor``, or never came to it."""
    known = details.by_name
    tasks = [n for n in known if not _COUNTED.search(n) and f"{n}-driver" in known and n not in _OF_KFP]
    found = {n: p for n, p in _where_guessed(tasks, details.workflow).items() if not _HANDLER.fullmatch(n)}
    return [StepName(n, n, found[n]) for n in sorted(found, key=lambda n: (str(known[n].start_time), n))]


def _where_guessed(tasks: Sequence[str], workflow: Workflow) -> dict[str, Place]:
    """Which tasks are no groups, and where they stand: the hashes of their nodes tell."""
    found: dict[str, Place] = {}
    groups: list[tuple[str, ...]] = [()]
    while groups:
        around = groups.pop()
        for task in tasks:
            place = Place(task, around)
            path = place.path(workflow)
            if task in found or not workflow.has(path):
                continue
            if workflow.has(workflow.first(path) + ".executor") or not workflow.has(workflow.first(path)):
                found[task] = place
            else:
                groups += [(*around, task), (*around, f"{task}.onExit")]
    return found


def _step(name: StepName, details: Details) -> PodStep:
    known, workflow = details.by_name, details.workflow
    task, driver = known.get(name.task), known.get(f"{name.task}-driver")
    state = _state(name.place, task, driver, details)
    return PodStep(
        name=name.task,
        display_name=name.display_name,
        state=state,
        started_at=real_time(task.start_time) if task is not None else None,
        finished_at=real_time(task.end_time) if task is not None else None,
        turn_at=real_time(driver.start_time) if driver is not None else None,
        error=error_text(task) if task is not None else None,
        pods=name.place.pods(workflow),
        driver=name.place.driver_pod(workflow) if workflow.name and name.place.driven else None,
        driving=task is None and driver is not None,
        driver_failed=driver is not None and str(driver.state) == "FAILED",
        at_exit=any(group.endswith(".onExit") for group in name.place.groups),
    )


def _state(place: Place, task: Any, driver: Any, details: Details) -> State:
    if driver is not None and str(driver.state) == "FAILED":
        return "FAILED"
    if task is None:
        return "WAITING" if driver is None else "PENDING" if driver.state else "SKIPPED"
    # What Argo calls omitted has no state: it will never run.
    state = state_of(task.state, "SKIPPED")
    if state == "SUCCEEDED" and details.cached(place):
        return "CACHED"
    return "PENDING" if state == "RUNNING" and details.waits(place) else state


def real_time(when: datetime | None) -> datetime | None:
    """A time that is one: the server writes the year 1970 or 1 where there is none."""
    return when if when and when.year > 1970 else None


def error_text(thing: Any) -> str | None:
    """What the server says of an error of a run or a task, if it says anything."""
    found = [getattr(thing, "error", None), *(getattr(s, "error", None) for s in thing.state_history or ())]
    said = [str(e.message) for e in found if e is not None and e.message]
    return said[-1] if said else None
