"""What would be submitted, read from the compiled pipeline itself: steps, order, settings, and how data gets about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kedro_kubeflow.plan.compile import Prepared
from kedro_kubeflow.plan.dag import Dag, Step, is_parameter
from kedro_kubeflow.plan.grouping import base_name
from kedro_kubeflow.plan.handoff import Handoff
from kedro_kubeflow.plan.tasks import compiled_tasks

How = Literal["artifact", "volume", "remote", "memory", "raw"]


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One task of the pipeline.

    Attributes:
        order: steps of one number can run at the same time; those of a higher one wait for some of them.
        name: the KFP task name.
        title: what people see.
        nodes: the Kedro nodes that run in it; none in the tasks around the steps.
        waits_for: titles of the tasks that come before it.
        resources: as in KFP's ``ResourceSpec``.
        retries: as in KFP's ``RetryPolicy``.
        kubernetes: as in KFP's ``KubernetesExecutorConfig``.
        parameters: the Kedro parameters that it is given.
        origins: setting → the selector of kubeflow.yml that its value comes from.
    """

    order: int
    name: str
    title: str
    nodes: tuple[str, ...] = ()
    waits_for: tuple[str, ...] = ()
    image: str
    resources: Mapping[str, Any] = field(default_factory=dict)
    retries: Mapping[str, Any] = field(default_factory=dict)
    cache: bool = False
    runner: str = "sequential"
    kubernetes: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PlannedDataset:
    """How a dataset gets from where it is made to where it is read.

    Attributes:
        how: ``artifact``: through KFP; ``volume``: on the volume that the steps share; ``remote``: every step reaches it by
            itself; ``memory``: it does not leave its step; ``raw``: no step makes it, and the image must hold it.
        made_by: the step's title; None where no step makes it.
        read_by: likewise.
        stored_as: the type of its catalog entry, or what stores data that is in memory only.
        path: its local path in the catalog.
    """

    dataset: str
    how: How
    made_by: str | None
    read_by: tuple[str, ...]
    stored_as: str
    path: str = ""


@dataclass(frozen=True, kw_only=True)
class PlannedParameter:
    """A run-time parameter of the pipeline."""

    name: str
    type: str
    default: Any


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A compiled pipeline, as people want to read it."""

    name: str
    display_name: str
    pipeline: str
    env: str | None
    tracking: bool
    steps: tuple[PlannedStep, ...]
    datasets: tuple[PlannedDataset, ...]
    parameters: tuple[PlannedParameter, ...]
    notes: tuple[str, ...]


def plan_of(prepared: Prepared) -> Plan:
    """Say what would be submitted."""
    return Plan(
        name=prepared.compiled.name,
        display_name=prepared.compiled.display_name,
        pipeline=prepared.dag.pipeline,
        env=prepared.project.env,
        tracking=prepared.tracking,
        steps=tuple(_steps(prepared)),
        datasets=tuple(_datasets(prepared)),
        parameters=tuple(
            PlannedParameter(name=i.encoding.key, type=i.encoding.kfp_type, default=i.default)
            for i in prepared.dag.inputs
        ),
        notes=prepared.compiled.notes,
    )


def _steps(prepared: Prepared) -> Iterator[PlannedStep]:
    steps = {step.name: step for step in prepared.dag.steps}
    position = {name: index for index, name in enumerate(steps)}
    keys = {i.name: i.encoding.key for i in prepared.dag.inputs}
    runner = prepared.config.run_config.grouping.runner
    tasks = compiled_tasks(prepared.compiled)
    titles = {task.name: task.title for task in tasks}
    for task in sorted(tasks, key=lambda t: (t.order, position.get(t.name, -1), t.name)):
        step = steps.get(task.name)
        yield PlannedStep(
            order=task.order,
            name=task.name,
            title=task.title,
            nodes=tuple(node.name for node in step.nodes) if step else (),
            waits_for=tuple(titles[name] for name in task.waits_for),
            image=str(task.container.get("image", "")),
            resources=dict(task.container.get("resources") or {}),
            retries=task.retries,
            cache=task.cache,
            runner=runner if step and len(step.nodes) > 1 else "sequential",
            kubernetes=task.kubernetes,
            parameters=tuple(keys[name] for name in step.parameters) if step else (),
            origins=dict(settings.origins) if (settings := prepared.settings.get(task.title)) else {},
        )


def _datasets(prepared: Prepared) -> Iterator[PlannedDataset]:
    source = prepared.source
    made_by, read_by = _flow(prepared.dag)
    used_as = {base_name(d): d for d in reversed(list(source.entries))}
    used_as |= {base_name(d): d for step in prepared.dag.steps for node in step.nodes for d in node.outputs}
    in_memory = str(source.config.run_config.memory_dataset["type"])
    for dataset in dict.fromkeys([*read_by, *made_by]):
        handed, entry = source.handoffs[used_as[dataset]], source.entries[used_as[dataset]]
        how = _how(handed, made_by.get(dataset), read_by.get(dataset, []))
        stored_as = str((entry or {}).get("type", "")) if handed.kind != "memory" else in_memory
        yield PlannedDataset(
            dataset=dataset,
            how=how,
            made_by=made_by.get(dataset),
            read_by=tuple(read_by.get(dataset, ())),
            stored_as="" if how == "memory" else stored_as,
            path=handed.path,
        )


def _flow(dag: Dag) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Dataset → the step that makes it, and the steps that read it, in the order of the steps."""
    made_by: dict[str, str] = {}
    read_by: dict[str, list[str]] = {}
    for step in dag.steps:
        for dataset in _read(step):
            read_by.setdefault(dataset, []).append(step.title)
        made_by |= {base_name(d): step.title for node in step.nodes for d in node.outputs}
    return made_by, read_by


def _read(step: Step) -> list[str]:
    return list(dict.fromkeys(base_name(d) for node in step.nodes for d in node.inputs if not is_parameter(d)))


def _how(handed: Handoff, made_by: str | None, read_by: Sequence[str]) -> How:
    if handed.kind == "external":
        return "remote"
    if made_by is None:
        return "memory" if handed.kind == "memory" else "raw"
    if handed.kind == "volume":
        return "volume"
    if handed.kind == "memory" and read_by and set(read_by) == {made_by}:
        return "memory"
    return "artifact"
