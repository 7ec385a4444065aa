"""What stands around the steps: the plugin's own tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kedro_kubeflow import names
from kedro_kubeflow.config.settings import StepSettings
from kedro_kubeflow.config.ttl import TtlConfig
from kedro_kubeflow.config.volume import VolumeConfig
from kedro_kubeflow.contract import JOB_ID_INPUT, JOB_NAME_INPUT, RUN_ID_INPUT, STATUS_INPUT, Artifact, StepCall
from kedro_kubeflow.plan.dag import Dag, PipelineInput, Step
from kedro_kubeflow.plan.task import JOB_ID, JOB_NAME, Constant, FinalStatus, FromInput, FromTask, Parameter, Task

GROUP = "exit-handler-1"
"""The name that KFP's own compiler gives to the sub-DAG of an exit handler."""

RUN_ID = FromTask(names.START_RUN, "run_id")
# Like the inputs of our own in contract: a dash that is not before a digest, so that no dataset is called so.
RUN_LINK = "mlflow-run"
LOGGED_METRICS = "mlflow-metrics"


@dataclass(frozen=True, kw_only=True)
class Exit:
    """What is done at the end of a run, whatever became of it, beside closing the MLflow run.

    Attributes:
        step: the exit pipeline, as one step; None where there is none.
        settings: options of the exit task's call.
    """

    step: Step | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What stands around the steps.

    Attributes:
        name: the KFP pipeline name.
        image: the image of every task that ``settings`` gives none.
        tracking: whether there is an MLflow run; then ``close_run`` says who ends it.
        call: what every call has in common (pipeline, env, package, conf source, settings).
        start_settings: options of the start task's call.
        step_settings: options of every step's call.
        cache_keys: by step title: what a cached step's result depends on beside its container and its inputs.
        settings: by task title: resources, Kubernetes settings and the like.
        platform: Kubernetes settings of every task.
        exit: what else is done at the end of the run; None where nothing is.
        volume: the volume that the steps share.
        deadline: seconds that the whole run may take.
        notes: what the user should be told, beside what the DAG has to say.
    """

    name: str
    display_name: str
    description: str = ""
    image: str
    tracking: bool = False
    close_run: str = "exit_handler"
    call: StepCall
    start_settings: Mapping[str, Any] = field(default_factory=dict)
    step_settings: Mapping[str, Any] = field(default_factory=dict)
    cache_keys: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, StepSettings] = field(default_factory=dict)
    platform: Mapping[str, Any] = field(default_factory=dict)
    exit: Exit | None = None
    volume: VolumeConfig | None = None
    ttl: TtlConfig = field(default_factory=TtlConfig)
    deadline: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def exit_task(self) -> str | None:
        """The name of the task that runs whatever became of the steps; None where there is none.

        KFP has one such task a pipeline, so it does everything that there is to do at the end.
        """
        if self.tracking and (self.exit or self.close_run == "exit_handler"):
            return names.END_RUN
        if self.exit:
            return names.EXIT_PIPELINE if self.exit.step else names.NOTIFY
        return None

    def caches(self, step: Step) -> bool:
        """Whether a step's result may come from KFP's cache."""
        return step.title in self.settings and self.settings[step.title].cache


def start(frame: Frame, dag: Dag) -> Task:
    """The first task: it opens the MLflow run."""
    shared = _shared(dag)
    link = Artifact(RUN_LINK, "MLflow run", "link", required=False)
    return Task(
        name=names.START_RUN,
        title=names.START_RUN,
        image=frame.image,
        call=replace(
            frame.call,
            action="start",
            step=names.START_RUN,
            outputs=(link,),
            parameters=tuple((i.name, i.encoding) for i in shared),
            tracking=True,
            settings={**frame.call.settings, **frame.start_settings},
        ),
        parameters={
            **_from_inputs(shared),
            JOB_ID_INPUT: Parameter("STRING", Constant(JOB_ID)),
            JOB_NAME_INPUT: Parameter("STRING", Constant(JOB_NAME)),
        },
        outputs={RUN_LINK: "Markdown"},
        puts_out=(RUN_ID.key,),
        platform=frame.platform,
    )


def mark_success(frame: Frame, steps: Sequence[Task], dag: Dag) -> Task:
    """The last task of a run that succeeds; never cached, so that a run of cached steps is closed as well."""
    shared = _shared(dag)
    return Task(
        name=names.MARK_SUCCESS,
        title=names.MARK_SUCCESS,
        image=frame.image,
        call=replace(
            frame.call,
            action="succeed",
            step=names.MARK_SUCCESS,
            parameters=tuple((i.name, i.encoding) for i in shared),
            tracking=True,
        ),
        parameters={**_from_inputs(shared), RUN_ID_INPUT: Parameter("STRING", RUN_ID)},
        after=_leaves(steps),
        platform=frame.platform,
    )


def run_succeeded(frame: Frame, steps: Sequence[Task]) -> Task:
    """The last task of a run that succeeds, where cached steps would leave its end in doubt.

    KFP's backend updates the state of a group when a task's own process ends, which one from the cache does not have: a group
    whose last task was cached looks like one whose last task was killed.
    """
    return Task(
        name=names.RUN_SUCCEEDED,
        title=names.RUN_SUCCEEDED,
        image=frame.image,
        call=replace(frame.call, action="succeed", step=names.RUN_SUCCEEDED),
        after=_leaves(steps),
        platform=frame.platform,
    )


def finish(frame: Frame, dag: Dag, name: str) -> Task:
    """The exit task: closes the MLflow run, runs the exit pipeline, sends notifications."""
    leaving = frame.exit or Exit()
    step = leaving.step
    inputs = {i.name: i for i in dag.inputs}
    named = {*dag.shared, *(step.parameters if step else ())}
    used = [inputs[name] for name in sorted(named & set(inputs))]
    return Task(
        name=name,
        title=name,
        image=frame.image,
        call=replace(
            frame.call,
            action="finish",
            step=name,
            nodes=tuple(node.name for node in step.nodes) if step else (),
            outputs=tuple(o.artifact for o in step.outputs) if step else (),
            parameters=tuple((i.name, i.encoding) for i in used),
            tracking=frame.tracking,
            settings={**frame.call.settings, **(frame.step_settings if step else {}), **leaving.settings},
        ),
        parameters={
            **_from_inputs(used),
            JOB_ID_INPUT: Parameter("STRING", Constant(JOB_ID)),
            STATUS_INPUT: Parameter("TASK_FINAL_STATUS", FinalStatus(GROUP)),
        },
        outputs={o.artifact.name: o.type for o in step.outputs} if step else {},
        after=(GROUP,),
        at_exit=True,
        platform=frame.platform,
    )


def _shared(dag: Dag) -> list[PipelineInput]:
    """The inputs that every task is given: what the configuration asks for."""
    return [i for i in dag.inputs if i.name in dag.shared]


def _from_inputs(used: Sequence[PipelineInput]) -> dict[str, Parameter]:
    return {i.name: Parameter(i.encoding.kfp_type, FromInput(i.name)) for i in used}


def _leaves(steps: Sequence[Task]) -> tuple[str, ...]:
    """The steps that no step waits for."""
    waited_for = {producer for task in steps for _, producer, _ in task.artifacts.values()}
    waited_for |= {name for task in steps for name in task.after}
    return tuple(sorted({task.name for task in steps} - waited_for))
