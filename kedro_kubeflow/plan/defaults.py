"""What the tasks of one pipeline have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.config.settings import StepSettings
from kedro_kubeflow.config.volume import VolumeConfig
from kedro_kubeflow.contract import RUN_ID_ENV, StepCall
from kedro_kubeflow.plan.exit import AtExit
from kedro_kubeflow.plan.inputs import PipelineInput
from kedro_kubeflow.plan.steps import Step
from kedro_kubeflow.plan.task import FromInput, Parameter

MANY_STEPS = 20
"""With more, Kubeflow Pipelines' API stops to tell the states of a run's tasks."""


@dataclass(frozen=True, kw_only=True)
class Defaults:
    """What the tasks of one pipeline have in common.

    Attributes:
        call: pipeline, environment, package, conf source, and options of every call.
        image: the image of every task that ``settings`` gives none.
        tracking: whether there is an MLflow run; then ``close_run`` says who ends it.
        mark_success: whether a task of its own says that every step has succeeded: ``auto``, ``always`` or ``never``.
        logged: the steps that hand the metrics that they log to MLflow on to KFP, by name.
        start_options: of the start task's call.
        step_options: of every step's call.
        inputs: the pipeline's inputs.
        shared: those of them that every task is given, the plugin's own too, by KFP name.
        settings: by display name: resources, Kubernetes settings and the like.
        cache_keys: by display name: what a cached step's result depends on beside its container and its inputs.
        at_exit: what else is done at the end of the run; None where nothing is.
        volume: the volume that the steps share.
    """

    call: StepCall
    image: str
    tracking: bool = False
    close_run: str = "exit_handler"
    mark_success: str = "auto"
    logged: frozenset[str] = frozenset()
    start_options: Mapping[str, Any] = field(default_factory=dict)
    step_options: Mapping[str, Any] = field(default_factory=dict)
    inputs: Sequence[PipelineInput] = ()
    shared: Sequence[str] = ()
    settings: Mapping[str, StepSettings] = field(default_factory=dict)
    cache_keys: Mapping[str, str] = field(default_factory=dict)
    at_exit: AtExit | None = None
    volume: VolumeConfig | None = None

    @property
    def exit_task(self) -> str | None:
        """The name of the task that runs whatever became of the steps; None where there is none."""
        return exit_task_of(self.tracking, self.close_run, self.at_exit)

    def marks_success(self, steps: Sequence[Step]) -> bool:
        """Whether a task of its own says that every step has succeeded; else the step that ends last does.

        It is needed where the exit task could not tell a success: steps from the cache say nothing in MLflow, and of a run with
        many tasks that was retried nothing can be asked. Without an exit task nobody corrects a last step that said too much.
        """
        if self.mark_success != "auto":
            return self.mark_success == "always"
        doubtful = self.exit_task is None or any(self.caches(step) for step in steps)
        return doubtful or len(steps) > MANY_STEPS

    @property
    def pod_fields(self) -> dict[str, str]:
        """The run's id, from the label that KFP's server sets: it is no part of a cache key."""
        return {RUN_ID_ENV: "metadata.labels['pipeline/runid']"} if self.tracking else {}

    @property
    def shared_inputs(self) -> list[PipelineInput]:
        """The inputs that every task is given: what the configuration asks for."""
        return [i for i in self.inputs if i.name in self.shared]

    def caches(self, step: Step) -> bool:
        """Whether a step's result may come from KFP's cache."""
        given = self.settings.get(step.display_name)
        return given is not None and given.cache


def exit_task_of(tracking: bool, close_run: str, at_exit: AtExit | None) -> str | None:
    """The name of the task that runs whatever became of the steps; None where there is none.

    KFP has one such task a pipeline, so it does everything that there is to do at the end.
    """
    if tracking and (at_exit or close_run == "exit_handler"):
        return names.END_RUN
    if at_exit:
        return names.EXIT_PIPELINE if at_exit.step else names.NOTIFY
    return None


def from_inputs(used: Sequence[PipelineInput]) -> dict[str, Parameter]:
    """Pipeline inputs as a task's parameters."""
    return {i.name: Parameter(i.encoding.kfp_type, FromInput(i.name)) for i in used}
