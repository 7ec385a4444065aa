"""Going on from an earlier run: which steps are taken over, and their artifacts as tasks that make known what is there.

A step is taken over if its nodes succeeded there, in whatever steps, its parameters are the same, everything that it waits for is
taken over too, and what others need of it is still to be found. Its code may have changed: that is why people go on from a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kedro_kubeflow.errors import CompileError, did_you_mean
from kedro_kubeflow.names import task_name
from kedro_kubeflow.plan.inputs import PipelineInput
from kedro_kubeflow.plan.steps import Step, StepInput
from kedro_kubeflow.plan.task import IMPORTED, Task
from kedro_kubeflow.request import EarlierRun


@dataclass(frozen=True)
class Resumed:
    """What becomes of each step.

    Attributes:
        steps: those that run, with their inputs from where they are now.
        importers: the artifacts of those that are taken over, as tasks.
        taken_over: the display names of the steps that do not run.
        reasons: why each of the others runs, by display name.
        kept: the datasets that the steps which are taken over have made.
        nodes: the nodes of those steps.
    """

    steps: tuple[Step, ...]
    importers: tuple[Task, ...] = ()
    taken_over: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()


def resumed(steps: Sequence[Step], earlier: EarlierRun | None, inputs: Sequence[PipelineInput]) -> Resumed:
    """Decide for every step.

    Args:
        steps: all of the pipeline, in an order in which they can run.
        inputs: the pipeline's inputs, with the values of the new run as their defaults.

    Raises:
        CompileError: nothing is left to run, or a node that is to run anew is none of the pipeline's.
    """
    if earlier is None:
        return Resumed(tuple(steps))
    _check_nodes(steps, earlier)
    values = {i.name: i.default for i in inputs}
    reasons: dict[str, str] = {}
    for step in steps:
        if (why := _why_it_runs(step, earlier, values)) is not None:
            reasons[step.name] = why
    _spread(steps, earlier, reasons)
    if not reasons:
        raise CompileError(
            f"Nothing is left to run: every step succeeded in the run {earlier.id}, with the same parameters",
            cure="say with --from-nodes what is to run anew, or start a run without --resume",
        )
    return _with_importers(steps, earlier, reasons)


def resume_options(earlier: EarlierRun | None, done: Resumed) -> dict[str, Any]:
    """What a task is told, for the records of the MLflow run and of a run that goes on from this one."""
    if earlier is None:
        return {}
    made = {
        dataset: dict(known) for dataset, known in earlier.made.items() if dataset in done.kept and known.get("uri")
    }
    there: dict[str, list[str]] = {}
    for node, step in earlier.nodes.items():
        there.setdefault(step, []).append(node)
    # Of a step of which only some nodes are taken over, nobody can tell which of them has logged what.
    steps = {step: nodes for step, nodes in there.items() if done.nodes.issuperset(nodes)}
    apart = {step: [node for node in nodes if node in done.nodes] for step, nodes in there.items() if nodes != [step]}
    said = {"run": earlier.id, "steps": sorted(steps), "made": made, "nodes": {s: n for s, n in apart.items() if n}}
    return {"resume": {key: value for key, value in said.items() if value}}


def recorded(tasks: Sequence[Task], options: Mapping[str, Any]) -> list[Task]:
    """Tasks of which one says what was taken over, where no start task does; one without a cache key, if there is any."""
    ours = [task for task in tasks if task.call]
    chosen = next((task for task in ours if not task.cache), ours[0] if ours else None)
    return [
        replace(task, call=replace(task.call, settings={**task.call.settings, **options}))
        if task is chosen and task.call
        else task
        for task in tasks
    ]


def importer_name(dataset: str) -> str:
    """The task that makes a dataset's artifact known; a blank gives its name digits that no step's plain name has."""
    return task_name(f"import {dataset}")


def _check_nodes(steps: Sequence[Step], earlier: EarlierRun) -> None:
    nodes = [node.name for step in steps for node in step.nodes]
    for name in earlier.again:
        if name not in nodes:
            raise CompileError(f"The pipeline has no node {name!r} to run anew from. {did_you_mean(name, nodes)}")


def _why_it_runs(step: Step, earlier: EarlierRun, values: Mapping[str, object]) -> str | None:
    if any(node.name in earlier.again for node in step.nodes):
        return "asked for"
    if any(node.name not in earlier.nodes for node in step.nodes):
        return "did not succeed there"
    if step.volume:
        return "uses the run's volume, which is another one now"
    changed = [n for n in step.parameters if n not in earlier.parameters or earlier.parameters[n] != values.get(n)]
    if changed and not earlier.trust:
        return f"parameters have changed: {', '.join(changed)}"
    return None


def _spread(steps: Sequence[Step], earlier: EarlierRun, reasons: dict[str, str]) -> None:
    """What follows from a step that runs, runs; so does what makes something that such a step needs and nobody finds."""
    shown = {step.name: step.display_name for step in steps}
    before = -1
    while before != len(reasons):
        before = len(reasons)
        needed = {(i.producer, i.artifact.dataset) for step in steps if step.name in reasons for i in step.inputs}
        for step in steps:
            if step.name in reasons:
                continue
            if running := [shown[name] for name in step.upstream if name in reasons]:
                reasons[step.name] = f"follows from {running[0]}"
            elif lost := sorted(d for maker, d in needed if maker == step.name and not earlier.uri(d)):
                reasons[step.name] = f"{lost[0]} is not to be found any more"


def _with_importers(steps: Sequence[Step], earlier: EarlierRun, reasons: Mapping[str, str]) -> Resumed:
    importers: dict[str, Task] = {}

    def moved(given: StepInput) -> StepInput:
        if given.producer in reasons:
            return given
        dataset = given.artifact.dataset
        name = importer_name(dataset)
        importers[name] = Task.importer(name, uri=earlier.uri(dataset), kind=given.type)
        return replace(given, producer=name, key=IMPORTED)

    running = [
        replace(
            step,
            inputs=tuple(moved(given) for given in step.inputs),
            after=tuple(name for name in step.after if name in reasons),
        )
        for step in steps
        if step.name in reasons
    ]
    shown = {step.name: step.display_name for step in steps}
    return Resumed(
        steps=tuple(running),
        importers=tuple(importers.values()),
        taken_over=tuple(step.display_name for step in steps if step.name not in reasons),
        reasons={shown[name]: why for name, why in reasons.items()},
        kept=frozenset(o.artifact.dataset for step in steps if step.name not in reasons for o in step.outputs),
        nodes=frozenset(node.name for step in steps if step.name not in reasons for node in step.nodes),
    )
