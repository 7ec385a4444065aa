"""Argo's nodes of a run, and the tasks that KFP's server makes of them.

As KFP's manifests set it up, every node has a retry node above it, so that a task X is `X-driver`, `X-driver(0)`, `X`, `X(0)`,
and below that `executor` and `executor(0)`, which is the pod. Nodes are told by ids, which are FNV hashes of their full
names; `test_recorded.py` holds all of this against what a real server said.
"""

from __future__ import annotations

import functools
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kedro_kubeflow.targets.base.spec import tasks_before

BEFORE_CHRIST = "0001-01-01T00:00:00Z"
OMITTED = ""
"""The state of a node that will never run: KFP's server leaves it out."""
FINAL = frozenset({"SUCCEEDED", "FAILED", "SKIPPED", OMITTED})


def fnv(text: str) -> int:
    """FNV-1a of 32 bits, by which Argo makes a node's id, and a pod's name, of the node's name."""
    return functools.reduce(lambda h, byte: ((h ^ byte) * 16777619) & 0xFFFFFFFF, text.encode(), 2166136261)


@dataclass(frozen=True)
class Node:
    """One of Argo's nodes.

    Attributes:
        path: its full name.
        children: by their full names.
        history: the states that it went through.
    """

    path: str
    shown: str
    state: str
    children: tuple[str, ...] = ()
    history: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workflow:
    """One run of a spec.

    Attributes:
        states: of its tasks, also of those that are groups; what is not named has not begun. `DRIVER`: only the task's
            driver runs; `NO DRIVER`: it failed; `PENDING`: its pod waits; `SKIPPED`: it came from the cache.
        attempts: how often a task was tried, where that is more than once.
    """

    name: str
    spec: Mapping[str, Any]
    states: Mapping[str, str]
    state: str
    attempts: Mapping[str, int] = field(default_factory=dict)

    @property
    def _ir(self) -> Mapping[str, Any]:
        ir: Mapping[str, Any] = self.spec.get("pipeline_spec", self.spec)
        return ir

    def nodes(self) -> list[Node]:
        """All nodes that have begun, or never will."""
        top, root = f"{self.name}(0)", f"{self.name}(0).root"
        if not self.states:
            return []
        tasks = self._ir["root"]["dag"]["tasks"]
        if set(self.states) == {"root-driver"}:
            opening = self._pod(f"{top}.root-driver", "root-driver", self.states["root-driver"], ())
            return [*self._retried(self.name, self.name, self.state, (f"{top}.root-driver",)), *opening]
        return [
            *self._retried(self.name, self.name, self.state, (f"{top}.root-driver",)),
            *self._pod(f"{top}.root-driver", "root-driver", "SUCCEEDED", (root,)),
            *self._retried(root, "root", self.state, tuple(self._first(f"{root}(0)", tasks))),
            *self._dag(f"{root}(0)", tasks),
        ]

    def executors(self) -> dict[str, str]:
        """The full name of the node of each task's pod, at its last attempt."""
        return dict(self._executors(f"{self.name}(0).root", self._ir["root"]["dag"]["tasks"]))

    def pods(self) -> dict[str, str]:
        """The name of the pod that runs each task's own code."""
        return {task: f"{self.name}-{self._template(task)}-{fnv(path)}" for task, path in self.executors().items()}

    def _template(self, task: str) -> str:
        return f"{'retry-' if task in self.attempts else ''}system-container-impl"

    def _executors(self, path: str, tasks: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, task in tasks.items():
            place = f"{self._place(path, task)}.{name}"
            if inner := self._inner(task):
                yield from self._executors(place, inner)
            else:
                yield name, f"{place}({self.attempts.get(name, 1) - 1}).executor(0)"

    def _place(self, path: str, task: Mapping[str, Any]) -> str:
        return f"{path}(0).{task['dependentTasks'][0]}.onExit(0)" if is_exit(task) else f"{path}(0)"

    def _dag(self, path: str, tasks: Mapping[str, Any]) -> Iterator[Node]:
        for name in tasks:
            state = self.states.get(name)
            if state is None:
                continue
            yield from self._task(path, name, state, tasks)

    def _task(self, path: str, name: str, state: str, tasks: Mapping[str, Any]) -> Iterator[Node]:
        task = tasks[name]
        if is_exit(task):
            owner = task["dependentTasks"][0]
            done = state if state in ("FAILED", "SUCCEEDED") else "RUNNING"
            path = f"{path}.{owner}.onExit"
            done = "FAILED" if state == "NO DRIVER" else done
            yield from self._retried(path, f"{owner}.onExit", done, (f"{path}(0).{name}-driver",))
            path, tasks = f"{path}(0)", {name: task}
        here, after = f"{path}.{name}", tuple(self._after(path, name, tasks))
        if state == OMITTED:
            yield Node(f"{here}-driver", f"{name}-driver", OMITTED, (here,), (OMITTED,))
            yield Node(here, name, OMITTED, after, (OMITTED,))
            return
        if self._makes_a_volume(task):
            yield from self._pod(here, name, state, after)
            return
        if state == "DRIVER":
            yield from self._pod(f"{here}-driver", f"{name}-driver", "PENDING", ())
            return
        if state == "NO DRIVER":
            yield from self._pod(f"{here}-driver", f"{name}-driver", "FAILED", (here,))
            yield Node(here, name, OMITTED, after, (OMITTED,))
            return
        yield from self._pod(f"{here}-driver", f"{name}-driver", "SUCCEEDED", (here,))
        inner = self._inner(task)
        if inner:
            hooks = tuple(f"{here}.onExit" for t, v in tasks.items() if is_exit(v) and t in self.states)
            yield from self._retried(here, name, _of_group(state), (*self._first(f"{here}(0)", inner), *after), hooks)
            yield from self._dag(f"{here}(0)", inner)
        else:
            yield from self._step(here, name, state, after)

    def _step(self, here: str, name: str, state: str, after: tuple[str, ...]) -> Iterator[Node]:
        tries = self.attempts.get(name, 1)
        shown = _of_group("SUCCEEDED" if state == "SKIPPED" else state)
        history = _history(shown, begins="SUCCEEDED" if state == "SKIPPED" else "RUNNING")
        yield Node(here, name, shown, tuple(f"{here}({n})" for n in range(tries)), history)
        for n in range(tries):
            last = n == tries - 1
            one = f"{here}({n})"
            of_try = shown if last else "FAILED"
            yield Node(one, f"{name}({n})", of_try, (f"{one}.executor", *(after if last else ())), history)
            if state == "SKIPPED":
                yield Node(f"{one}.executor", "executor", "SKIPPED", (), ("SKIPPED",))
            else:
                yield from self._pod(f"{one}.executor", "executor", state if last else "FAILED", ())

    def _pod(self, path: str, shown: str, state: str, after: tuple[str, ...]) -> Iterator[Node]:
        """A pod and the retry node above it; what comes after hangs on the pod."""
        yield Node(path, shown, _of_group(state), (f"{path}(0)",), _history(_of_group(state)))
        yield Node(f"{path}(0)", f"{shown}(0)", state, after, _history(state, begins="PENDING"))

    def _retried(
        self, path: str, shown: str, state: str, children: tuple[str, ...], hooks: tuple[str, ...] = ()
    ) -> Iterator[Node]:
        yield Node(path, shown, state, (f"{path}(0)", *hooks), _history(state))
        yield Node(f"{path}(0)", f"{shown}(0)", state, children, _history(state))

    def _first(self, path: str, tasks: Mapping[str, Any]) -> Iterator[str]:
        yield from (self._begin(path, n, t) for n, t in tasks.items() if n in self.states and not tasks_before(t))

    def _after(self, path: str, name: str, tasks: Mapping[str, Any]) -> Iterator[str]:
        for other, task in tasks.items():
            if other in self.states and name in tasks_before(task) and not is_exit(task):
                yield self._begin(path, other, task)

    def _begin(self, path: str, name: str, task: Mapping[str, Any]) -> str:
        """The node with which a task begins; a volume is made by the one pod that is otherwise the driver's."""
        return f"{path}.{name}" if self._makes_a_volume(task) else f"{path}.{name}-driver"

    def _makes_a_volume(self, task: Mapping[str, Any]) -> bool:
        component = self._ir.get("components", {}).get(task["componentRef"]["name"], {})
        executors = self._ir.get("deploymentSpec", {}).get("executors", {})
        image = executors.get(component.get("executorLabel", ""), {}).get("container", {}).get("image", "")
        return bool(image == "argostub/createpvc")

    def _inner(self, task: Mapping[str, Any]) -> Mapping[str, Any] | None:
        component = self._ir.get("components", {}).get(task.get("componentRef", {}).get("name", ""), {})
        tasks: Mapping[str, Any] | None = component.get("dag", {}).get("tasks")
        return tasks


def is_exit(task: Mapping[str, Any]) -> bool:
    """Whether a task runs whatever became of the one that it names."""
    return bool(task.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED")


def _of_group(state: str) -> str:
    """What the nodes above a pod say: a pod that waits is one that runs to them."""
    return "RUNNING" if state in ("PENDING", "DRIVER") else state


def _history(state: str, begins: str = "RUNNING") -> tuple[str, ...]:
    between = ("RUNNING",) if begins == "PENDING" and state != "PENDING" else ()
    return tuple(dict.fromkeys((begins, *between, state)))


def task_details(workflow: Workflow, run_id: str, when: str) -> list[dict[str, Any]]:
    """The tasks of a run as the API tells them."""
    order = {name: number for number, name in enumerate(workflow.states, start=1)}
    return [_detail(workflow.name, node, run_id, _later(when, node.path, order)) for node in workflow.nodes()]


def _later(when: str, path: str, order: Mapping[str, int]) -> str:
    """The nodes of a task begin at one time, and those of another at another: 20 seconds is what a task takes at least."""
    words = [re.sub(r"(\(\d+\)|-driver)+$", "", word) for word in path.split(".")]
    number = max((order[word] for word in words if word in order), default=0)
    moment = datetime.fromisoformat(when.replace("Z", "+00:00")) + timedelta(seconds=20 * number)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _detail(workflow: str, node: Node, run_id: str, when: str) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "run_id": run_id,
        "task_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{run_id} {node.path}")),
        "display_name": node.shown,
        "create_time": when,
        "start_time": when,
        "end_time": when if node.state in FINAL else BEFORE_CHRIST,
        "state_history": [{"update_time": when, **({"state": s} if s else {})} for s in node.history],
    }
    if node.state:
        detail["state"] = node.state
    if node.children:
        detail["child_tasks"] = [{"pod_name": f"{workflow}-{fnv(child)}"} for child in node.children]
    return detail
