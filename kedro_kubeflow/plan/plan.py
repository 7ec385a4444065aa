"""The plan: everything that is decided of a pipeline, in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kedro_kubeflow.config.ttl import TtlConfig
from kedro_kubeflow.config.volume import VolumeConfig
from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.plan.datasets import PlannedDataset
from kedro_kubeflow.plan.estimate import Estimates, Grouped, estimates_of
from kedro_kubeflow.plan.inputs import PipelineInput
from kedro_kubeflow.plan.order import Position, positions_of
from kedro_kubeflow.plan.plugin_tasks import GROUP
from kedro_kubeflow.plan.scope import Scope
from kedro_kubeflow.plan.steps import Step
from kedro_kubeflow.plan.task import Task
from kedro_kubeflow.plan.workflow import LIMIT, WorkflowSize, workflow_size


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What would be submitted.

    Attributes:
        name: the KFP pipeline name, a DNS label.
        display_name: what people see.
        tags: project, environment and the like, for the server's records.
        env: the configuration environment; None for the project's default.
        target: where it is to run.
        scope: which nodes run, and how their datasets travel.
        inputs: the pipeline's inputs, by name.
        steps: the nodes in steps, in an order in which they can run.
        root: the tasks at the root of KFP's graph.
        group: the tasks in the group that the exit task watches; none where no task does.
        datasets: how each dataset gets from where it is made to where it is read.
        common_call: what every call has in common.
        volume: the volume that the steps share.
        deadline: seconds that the whole run may take.
        grouped: which nodes share a step, and by what rule; None where a run goes on from an earlier one.
        workflow_limit: bytes that Argo takes as a run; None where it takes everything.
        warnings: what the user should be told, a sentence each.
        cache_warnings: those of them that speak of cached steps.
        taken_over: the steps of an earlier run that do not run again, by display name.
        reasons: of a run that goes on from an earlier one: why each step runs, by display name.
    """

    name: str
    display_name: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    env: str | None = None
    target: str = "kubeflow"
    scope: Scope
    inputs: tuple[PipelineInput, ...] = ()
    steps: tuple[Step, ...]
    root: tuple[Task, ...]
    group: tuple[Task, ...] = ()
    datasets: tuple[PlannedDataset, ...] = ()
    free_inputs: tuple[str, ...] = ()
    common_call: StepCall
    volume: VolumeConfig | None = None
    ttl: TtlConfig = field(default_factory=TtlConfig)
    deadline: int | None = None
    grouped: Grouped | None = None
    workflow_limit: int | None = LIMIT
    warnings: tuple[str, ...] = ()
    cache_warnings: tuple[str, ...] = ()
    taken_over: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def pipeline(self) -> str:
        """The Kedro pipeline's name; several are joined by ``+``."""
        return self.scope.selection.pipeline

    @property
    def tracking(self) -> bool:
        """Whether there is an MLflow run."""
        return self.scope.tracking

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Every task, in an order in which they can run."""
        at_exit = tuple(task for task in self.root if task.at_exit)
        return (*(task for task in self.root if not task.at_exit), *self.group, *at_exit)

    @cached_property
    def ordered_tasks(self) -> tuple[Task, ...]:
        """Every task; those that can run at the same time stand together, the plugin's own before the steps."""
        index = {step.name: number for number, step in enumerate(self.steps)}
        ordered = sorted(self.tasks, key=lambda t: (self.positions[t.name].order, index.get(t.name, -1), t.name))
        return tuple(ordered)

    @property
    def exit_task(self) -> Task | None:
        """The task that runs whatever became of the others; None where there is none."""
        return next((task for task in self.root if task.at_exit), None)

    @cached_property
    def workflow(self) -> WorkflowSize:
        """How large the run will be as Argo keeps it."""
        values = {i.name: i.default for i in self.inputs}
        return workflow_size(self.tasks, self.name, values, limit=self.workflow_limit)

    @cached_property
    def estimates(self) -> Estimates | None:
        """How long the run will take on a cluster; None where only a part of the steps runs."""
        return estimates_of(self.grouped, self.scope.nodes, self.root, self.group) if self.grouped else None

    @cached_property
    def positions(self) -> Mapping[str, Position]:
        """Task name → when it runs."""
        return positions_of(self.root, self.group, GROUP)
