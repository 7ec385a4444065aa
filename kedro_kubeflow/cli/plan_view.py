"""A plan as `kedro kubeflow plan` shows it: its tasks, with their settings in KFP's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.compiler.kubernetes import container_resources, executor_config, retry_policy_json
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.plan.datasets import PlannedDataset
from kedro_kubeflow.plan.estimate import Estimates
from kedro_kubeflow.plan.plan import Plan


@dataclass(frozen=True, kw_only=True)
class StepView:
    """One task of the pipeline.

    Attributes:
        order: steps of one number can run at the same time; those of a higher one wait for some of them.
        name: the KFP task name.
        title: what people see.
        nodes: the Kedro nodes that run in it; none in the plugin's own tasks.
        waits_for: display names of the tasks that come before it.
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
class ParameterView:
    """A run-time parameter of the pipeline."""

    name: str
    type: str
    default: Any


@dataclass(frozen=True, kw_only=True)
class WorkflowView:
    """How large the run will be as Argo keeps it, estimated.

    Attributes:
        bytes: at the run's end, of what counts against the limit.
        limit: bytes that Argo takes; None where it takes everything.
        steps_that_fit: about how many tasks like these fit.
        states_are_told: whether KFP's API tells each task's state to the end.
    """

    tasks: int
    bytes: int
    limit: int | None
    steps_that_fit: int
    states_are_told: bool


@dataclass(frozen=True, kw_only=True)
class PlanView:
    """A plan, as people want to read it."""

    name: str
    display_name: str
    pipeline: str
    env: str | None
    tracking: bool
    steps: tuple[StepView, ...]
    datasets: tuple[PlannedDataset, ...]
    parameters: tuple[ParameterView, ...]
    notes: tuple[str, ...]
    workflow: WorkflowView | None
    estimates: Estimates | None


def view_of(plan: Plan, config: KubeflowConfig, *, on_kubernetes: bool = True) -> PlanView:
    """Say what would be submitted."""
    return PlanView(
        name=plan.name,
        display_name=plan.display_name,
        pipeline=plan.pipeline,
        env=plan.env,
        tracking=plan.tracking,
        steps=tuple(_steps(plan, config.run_config.grouping.runner, on_kubernetes)),
        datasets=plan.datasets,
        parameters=tuple(
            ParameterView(name=i.encoding.key, type=i.encoding.kfp_type, default=i.default) for i in plan.inputs
        ),
        notes=plan.warnings,
        workflow=_workflow(plan) if on_kubernetes else None,
        estimates=plan.estimates if on_kubernetes else None,
    )


def _steps(plan: Plan, runner: str, on_kubernetes: bool) -> Iterator[StepView]:
    steps = {step.name: step for step in plan.steps}
    keys = {i.name: i.encoding.key for i in plan.inputs}
    shown = {task.name: task.display_name for task in plan.tasks}
    for task in plan.ordered_tasks:
        step, position = steps.get(task.name), plan.positions[task.name]
        yield StepView(
            order=position.order,
            name=task.name,
            title=task.display_name,
            nodes=tuple(node.name for node in step.nodes) if step else (),
            waits_for=tuple(shown[name] for name in _told(position.waits_for)),
            image=task.image,
            resources=container_resources(task.settings.resources) if task.settings else {},
            retries=retry_policy_json(task.settings.retry) if task.settings else {},
            cache=task.cache,
            runner=runner if step and len(step.nodes) > 1 else "sequential",
            kubernetes=executor_config(task) if on_kubernetes else {},
            parameters=tuple(keys[name] for name in step.parameters) if step else (),
            origins=dict(task.settings.origins) if task.settings else {},
        )


def _told(waits_for: Sequence[str]) -> Sequence[str]:
    """Whatever waits for a step has waited for the start of the MLflow run too."""
    others = [name for name in waits_for if name != names.START_RUN]
    return others or waits_for


def _workflow(plan: Plan) -> WorkflowView:
    size = plan.workflow
    return WorkflowView(
        tasks=size.tasks,
        bytes=size.total,
        limit=size.limit,
        steps_that_fit=size.steps_that_fit,
        states_are_told=size.states_are_told,
    )
