"""What becomes of a run: the states that it and its steps go through, one each time the run is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kedro_kubeflow.targets.base.spec import tasks_before
from kfp_server.workflow import OMITTED, is_exit


@dataclass(frozen=True)
class Script:
    """The course of a run.

    Attributes:
        failing: the step that fails.
        cached: steps that are taken from the cache.
        stays: never gets beyond its first step, until it is terminated or let go.
        pending: the step whose pod waits, until the run is terminated or let go.
        why: what Kubernetes says of that pod, the reason first.
        unbegun: the run waits before any step: `argo` has made no node of it, or the pod of `root-driver` waits.
        settles: after how many looks at the ended run its tasks have ended too.
        freezes: after how many steps the server no longer learns what becomes of the others; the run's own state is right.
        exit_lost: the exit task never runs.
        exit_driver_lost: the exit task's driver is lost, as Argo does with one that is still pending after a terminate.
    """

    failing: str | None = None
    cached: frozenset[str] = frozenset()
    stays: bool = False
    pending: str | None = None
    why: str = 'ImagePullBackOff: Back-off pulling image "registry.example.com/demo:1"'
    unbegun: Literal["argo", "root-driver"] | None = None
    settles: int = 1
    freezes: int | None = None
    exit_lost: bool = False
    exit_driver_lost: bool = False
    says: Mapping[str, str] = field(default_factory=dict)
    """Step → its log."""


@dataclass(frozen=True)
class Frame:
    """One look at a run."""

    state: str
    steps: Mapping[str, str]
    truth: Mapping[str, str] | None = None
    """What the steps really are, where the server does not know."""
    held: bool = False

    @property
    def true_steps(self) -> Mapping[str, str]:
        return self.steps if self.truth is None else self.truth


def frames(spec: Mapping[str, Any], script: Script) -> list[Frame]:
    """Every look until the run's end."""
    return list(_lagging(list(_course(spec, script)), script))


def _course(spec: Mapping[str, Any], script: Script) -> Iterator[Frame]:
    """What truly happens."""
    yield Frame("PENDING", {}, held=script.unbegun == "argo")
    if script.unbegun == "root-driver":
        yield Frame("RUNNING", {"root-driver": "PENDING"}, held=True)
    tasks = [(name, is_exit(task)) for name, task in steps_of_spec(spec)]
    done: dict[str, str] = {}
    failed = False
    for name, at_exit in tasks:
        if at_exit and script.exit_lost:
            continue
        if failed and not at_exit:
            done[name] = OMITTED
            continue
        if name == script.pending:
            yield Frame("RUNNING", {**done, name: "PENDING"}, held=True)
        if at_exit and script.exit_driver_lost:
            done[name] = "NO DRIVER"
            continue
        yield Frame("RUNNING", {**done, name: "RUNNING"}, held=script.stays and not done)
        failed = failed or (name == script.failing and not at_exit)
        done[name] = _end_of(name, script, at_exit=at_exit, failed=failed)
    yield Frame("FAILED" if failed else "SUCCEEDED", done)


def _end_of(name: str, script: Script, *, at_exit: bool, failed: bool) -> str:
    """An exit task fails along with its run, so that a retry comes to it again; and alone it makes no run fail."""
    if name == script.failing or (at_exit and failed):
        return "FAILED"
    return "SKIPPED" if name in script.cached else "SUCCEEDED"


def exit_of(spec: Mapping[str, Any], script: Script) -> dict[str, str]:
    """What becomes of the exit task of a run that is terminated."""
    tasks = [name for name, task in steps_of_spec(spec) if is_exit(task)]
    return {} if script.exit_lost else dict.fromkeys(tasks, "NO DRIVER" if script.exit_driver_lost else "FAILED")


def _lagging(course: Sequence[Frame], script: Script) -> Iterator[Frame]:
    """What the server knows of it: its tasks end after the run, or it never learns of their end."""
    known: Mapping[str, str] = {}
    for frame in course[:-1]:
        known = known if _too_many(known, script) else frame.steps
        yield Frame(frame.state, known, frame.steps, frame.held)
    last = course[-1]
    for _ in range(script.settles):
        yield Frame(last.state, known, last.steps)
    yield Frame(last.state, known if script.freezes is not None else last.steps, last.steps)


def _too_many(steps: Mapping[str, str], script: Script) -> bool:
    return script.freezes is not None and sum(s == "SUCCEEDED" for s in steps.values()) >= script.freezes


def steps_of_spec(spec: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The steps of a compiled pipeline in an order in which they can run, groups laid open."""
    ir = spec.get("pipeline_spec", spec)
    return list(_steps(ir["root"]["dag"]["tasks"], ir.get("components", {})))


def _steps(tasks: Mapping[str, Any], components: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    waiting = dict(sorted(tasks.items()))
    while waiting:
        ready = [n for n, t in waiting.items() if not tasks_before(t) & set(waiting)]
        for name in ready or list(waiting):
            task = waiting.pop(name)
            component = components.get(task["componentRef"]["name"], {})
            if "dag" in component:
                yield from _steps(component["dag"]["tasks"], components)
            else:
                yield name, task


def with_groups(spec: Mapping[str, Any], steps: Mapping[str, str], *, ended: bool) -> dict[str, str]:
    """The states of the steps and of the groups that hold them."""
    ir = spec.get("pipeline_spec", spec)
    components = ir.get("components", {})
    states = dict(steps)

    def state_of(tasks: Mapping[str, Any]) -> str | None:
        found: list[str | None] = []
        for name, task in tasks.items():
            inner = components.get(task["componentRef"]["name"], {}).get("dag", {}).get("tasks")
            if inner and (state := state_of(inner)) is not None:
                states[name] = state
            if not is_exit(task):
                found.append(states.get(name))
        begun = [s for s in found if s is not None]
        if not begun:
            return None
        if all(s == OMITTED for s in begun):
            return OMITTED
        if "FAILED" in begun and not {"RUNNING", "PENDING", "DRIVER"} & set(begun):
            return "FAILED"
        return "SUCCEEDED" if len(begun) == len(found) and set(begun) <= {"SUCCEEDED", "SKIPPED"} else "RUNNING"

    state_of(ir["root"]["dag"]["tasks"])
    return states
