"""What becomes of a run: the states that it and its steps go through, one each time the run is looked at.

The tasks look as KFP's server makes them of Argo's workflow nodes: for each step a driver, a node named as the step
and below it an ``executor``; children are told by node id, which is not the pod's name, and errors are not told at all.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Script:
    """The course of a run.

    Attributes:
        failing: the step that fails.
        error: what the server says of the failing step; the real one mostly says nothing.
        cached: steps that are taken from the cache.
        stays: never gets beyond its first step, until it is terminated or let go.
    """

    failing: str | None = None
    error: str | None = None
    cached: frozenset[str] = frozenset()
    stays: bool = False


@dataclass(frozen=True)
class Frame:
    """One look at a run."""

    state: str
    steps: Mapping[str, str]


def frames(steps: Sequence[str], script: Script) -> list[Frame]:
    """Every look until the run's end."""
    looks = [Frame("PENDING", {})]
    done: dict[str, str] = {}
    for step in steps:
        looks.append(Frame("RUNNING", {**done, step: "RUNNING"}))
        if step == script.failing:
            return [*looks, Frame("FAILED", {**done, step: "FAILED"})]
        done[step] = "SKIPPED" if step in script.cached else "SUCCEEDED"
    return [*looks, Frame("SUCCEEDED", done)]


def steps_of_spec(spec: Mapping[str, Any]) -> list[str]:
    """The steps of a compiled pipeline in an order in which they can run, groups laid open."""
    ir = spec.get("pipeline_spec", spec)
    return list(_steps(ir["root"]["dag"]["tasks"], ir.get("components", {})))


def _steps(tasks: Mapping[str, Any], components: Mapping[str, Any]) -> Iterator[str]:
    waiting = dict(sorted(tasks.items()))
    while waiting:
        ready = [n for n, t in waiting.items() if not set(t.get("dependentTasks", ())) & set(waiting)]
        for name in ready or list(waiting):
            component = components.get(waiting.pop(name)["componentRef"]["name"], {})
            if "dag" in component:
                yield from _steps(component["dag"]["tasks"], components)
            else:
                yield name


def node_id(workflow: str, path: str) -> str:
    return f"{workflow}-{zlib.crc32(path.encode())}"


def pod_name(workflow: str, step: str) -> str:
    """The pod that runs a step's own code."""
    return f"{workflow}-system-container-impl-{zlib.crc32(f'{step}.executor'.encode())}"


def task_details(run_id: str, workflow: str, frame: Frame, script: Script, when: str) -> list[dict[str, Any]]:
    """The tasks of a run as the API tells them."""
    if not frame.steps:
        return []
    nodes: list[tuple[str, str, str, list[str]]] = [
        (workflow, workflow, frame.state, ["root-driver"]),
        ("root-driver", "root-driver", "SUCCEEDED", ["root"]),
        ("root", "root", frame.state, [f"{s}-driver" for s in frame.steps]),
    ]
    for step, state in frame.steps.items():
        nodes.append((f"{step}-driver", f"{step}-driver", "SUCCEEDED", [step]))
        nodes.append((step, step, "SUCCEEDED" if state == "SKIPPED" else state, [f"{step}.executor"]))
        nodes.append((f"{step}.executor", "executor", state, []))
    return [_task(run_id, workflow, node, script, when) for node in nodes]


def _task(
    run_id: str, workflow: str, node: tuple[str, str, str, list[str]], script: Script, when: str
) -> dict[str, Any]:
    path, shown, state, children = node
    task: dict[str, Any] = {
        "run_id": run_id,
        "task_id": f"{run_id[:8]}-{zlib.crc32(path.encode())}",
        "display_name": shown,
        "create_time": when,
        "start_time": when,
        "end_time": when,
        "state": state,
        "child_tasks": [{"pod_name": node_id(workflow, child)} for child in children],
    }
    if script.error and path == script.failing and state == "FAILED":
        task["error"] = {"code": 13, "message": script.error}
    return task
