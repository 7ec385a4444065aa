"""The steps of a compiled pipeline, read out of its spec: what a target tells of tasks is understood by it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import Any

from kedro_kubeflow.results.artifact import RunArtifact


def tasks_before(task: Mapping[str, Any]) -> set[str]:
    """The tasks that one waits for: those that are named, and those whose outputs it is given."""
    inputs = task.get("inputs") or {}
    given = [*(inputs.get("artifacts") or {}).values(), *(inputs.get("parameters") or {}).values()]
    outputs = [i.get("taskOutputArtifact") or i.get("taskOutputParameter") or {} for i in given]
    return {*(task.get("dependentTasks") or ()), *(o["producerTask"] for o in outputs if o.get("producerTask"))}


def ordered_steps(spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Task name and display name of every step, in an order in which they can run, groups laid open.

    Args:
        spec: KFP's ``PipelineSpec`` as plain values.
    """
    dag = (spec.get("root") or {}).get("dag") or {}
    return _inside(dag.get("tasks") or {}, spec.get("components") or {})


def in_order(spec: Mapping[str, Any], artifacts: Iterable[RunArtifact]) -> list[RunArtifact]:
    """The artifacts of a run in the order of its steps; those of no task of its own come first."""
    position = {name: number for number, (name, _) in enumerate(ordered_steps(spec))}
    return sorted(artifacts, key=lambda artifact: position.get(artifact.task, -1))


def _inside(tasks: Mapping[str, Any], components: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _in_order(tasks):
        task = tasks[name]
        component = components.get((task.get("componentRef") or {}).get("name", "")) or {}
        if "dag" in component:
            yield from _inside(component["dag"].get("tasks") or {}, components)
        else:
            yield name, (task.get("taskInfo") or {}).get("name") or name


def _in_order(tasks: Mapping[str, Any]) -> Iterator[str]:
    """The names of tasks: first those that wait for none, then those that wait for these alone, and so on; by name each time."""
    waiting = TopologicalSorter({name: tasks_before(tasks[name]) & tasks.keys() for name in tasks})
    left = set(tasks)
    # A spec of somebody else's may have a circle that no server would take; what is in it comes last.
    with suppress(CycleError):
        waiting.prepare()
    while ready := sorted(waiting.get_ready()):
        yield from ready
        left.difference_update(ready)
        waiting.done(*ready)
    yield from sorted(left)
