"""Where a step is found among Argo's nodes, and what its pod is called.

KFP's API names neither: it gives each node's children by their ids, and an id is a hash of the node's full name. Names can
be computed, as a workflow's nodes are called after the groups and the tasks of the spec
(https://github.com/argoproj/argo-workflows/blob/main/workflow/util/pod_name.go). With a retry strategy for all nodes, as
KFP's manifests set it up, each node has `(0)` at its end for the first attempt; without, it has nothing.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST = 253 - 10 - 1
"""Characters of a pod's name before the dash and the digits of its hash."""
_VOLUME = "argostub/createpvc"


def fnv(text: str) -> int:
    """FNV-1a of 32 bits.

    >>> fnv("probe-fail-sgjjj(0)")
    2932710448
    """
    return functools.reduce(lambda h, byte: ((h ^ byte) * 16777619) & 0xFFFFFFFF, text.encode(), 2166136261)


@dataclass(frozen=True)
class Workflow:
    """What is known of the Workflow that runs a pipeline.

    Attributes:
        name: empty where the server has not told of any node yet.
        counted: whether attempts are counted in the nodes' names.
        hashes: of the nodes that the server has told of.
    """

    name: str = ""
    counted: bool = True
    hashes: frozenset[int] = frozenset()

    def first(self, path: str) -> str:
        """The first attempt of a node."""
        return f"{path}(0)" if self.counted else path

    def attempts(self, path: str) -> list[str]:
        """The attempts of a node that are known of, or the first; the latest first."""
        tries = next(n for n in itertools.count() if fnv(f"{path}({n})") not in self.hashes)
        return [f"{path}({n})" for n in reversed(range(max(tries, 1)))]

    def has(self, path: str) -> bool:
        """Whether the server has told of a node."""
        return fnv(path) in self.hashes

    def pod(self, path: str, template: str) -> str:
        """The pod of a node."""
        return f"{f'{self.name}-{template}'[:_LONGEST]}-{fnv(path)}"


@dataclass(frozen=True)
class Place:
    """Where a task stands in its pipeline.

    Attributes:
        groups: the groups around it, from the outside; that of an exit task ends in `.onExit`.
        template: Argo's template of the pod with the task's own code.
        driven: whether a driver's pod comes before it.
    """

    task: str
    groups: tuple[str, ...] = ()
    template: str = "system-container-impl"
    driven: bool = True

    def path(self, workflow: Workflow) -> str:
        """The full name of the task's node."""
        above = workflow.first(workflow.name)
        for group in ("root", *self.groups):
            above = workflow.first(f"{above}.{group}")
        return f"{above}.{self.task}"

    def executors(self, workflow: Workflow) -> Iterator[str]:
        """The full names of the nodes of its own pods, the latest attempt first."""
        if not workflow.counted:
            yield f"{self.path(workflow)}.executor" if self.driven else self.path(workflow)
            return
        for attempt in workflow.attempts(self.path(workflow)):
            if self.driven:
                yield from workflow.attempts(f"{attempt}.executor")
            else:
                yield attempt

    def pods(self, workflow: Workflow) -> tuple[str, ...]:
        """The names of its own pods, the latest attempt first; empty while the Workflow's name is not known."""
        if not workflow.name:
            return ()
        return tuple(workflow.pod(path, self.template) for path in self.executors(workflow))

    def opening_pod(self, workflow: Workflow, *, top: bool) -> str:
        """The pod that opens a group, or the whole graph: that of this place, which is a group's driver."""
        path = f"{workflow.first(workflow.name)}.{self.task}" if top else self.path(workflow)
        return workflow.pod(workflow.first(path), "system-dag-driver")

    def driver_pod(self, workflow: Workflow) -> str:
        """The name of its driver's pod."""
        return workflow.pod(workflow.first(f"{self.path(workflow)}-driver"), "system-container-driver")


def places(spec: Mapping[str, Any]) -> dict[str, Place]:
    """The place of each task of a compiled pipeline that is no group; spec and platform half together, or the spec alone."""
    ir = spec.get("pipeline_spec", spec)
    executors = ir.get("deploymentSpec", {}).get("executors", {})
    kubernetes = _kubernetes(spec)
    components = ir.get("components", {})

    def within(tasks: Mapping[str, Any], groups: tuple[str, ...]) -> Iterator[Place]:
        for name, task in tasks.items():
            component = components.get(task.get("componentRef", {}).get("name", ""), {})
            inside = (*groups, f"{task['dependentTasks'][0]}.onExit") if is_exit(task) else groups
            if "dag" in component:
                yield from within(component["dag"].get("tasks", {}), (*inside, name))
                continue
            label = component.get("executorLabel", "")
            if executors.get(label, {}).get("container", {}).get("image") == _VOLUME:
                yield Place(name, inside, "system-container-driver", driven=False)
            else:
                yield Place(name, inside, _template(task, kubernetes.get(label, {})))

    return {place.task: place for place in within(ir.get("root", {}).get("dag", {}).get("tasks", {}), ())}


def _template(task: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """KFP's template of a task's pod: one each for whether it is retried and how many annotations and labels it has."""
    name = "retry-system-container-impl" if task.get("retryPolicy") else "system-container-impl"
    metadata = config.get("podMetadata") or {}
    counts = len(metadata.get("annotations") or {}), len(metadata.get("labels") or {})
    return f"metadata-{counts[0]}-{counts[1]}-{name}" if any(counts) else name


def _kubernetes(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    platforms = (spec.get("platform_spec") or {}).get("platforms") or {}
    found: Mapping[str, Any] = ((platforms.get("kubernetes") or {}).get("deploymentSpec") or {}).get("executors") or {}
    return found


def is_exit(task: Mapping[str, Any]) -> bool:
    """Whether a task runs whatever became of the one that it depends on."""
    return bool((task.get("triggerPolicy") or {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED")
