"""The plugin's own tasks, which stand around the steps: they open and close the MLflow run, and do what is done at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kedro_kubeflow import names
from kedro_kubeflow.contract import JOB_ID_INPUT, JOB_NAME_INPUT, RUN_ID_INPUT, STATUS_INPUT, Artifact
from kedro_kubeflow.plan.defaults import Defaults, from_inputs
from kedro_kubeflow.plan.exit import AtExit
from kedro_kubeflow.plan.steps import Step
from kedro_kubeflow.plan.task import JOB_ID, JOB_NAME, Constant, FinalStatus, FromTask, Parameter, Task

GROUP = "exit-handler-1"
"""The name that KFP's own compiler gives to the sub-DAG of an exit handler."""

RUN_ID = FromTask(names.START_RUN, "run_id")
# Like the inputs of our own in contract: a dash that is not before a digest, so that no dataset is called so.
RUN_LINK = "mlflow-run"
LOGGED_METRICS = "mlflow-metrics"


def start(defaults: Defaults, steps: Sequence[Step]) -> Task:
    """The first task: it opens the MLflow run."""
    shared = defaults.shared_inputs
    last_step_closes = {} if defaults.marks_success(steps) else {"steps": len(steps)}
    link = Artifact(RUN_LINK, "MLflow run", "link", required=False)
    return Task(
        name=names.START_RUN,
        display_name=names.START_RUN,
        image=defaults.image,
        call=replace(
            defaults.call,
            action="start",
            step=names.START_RUN,
            outputs=(link,),
            parameters=tuple((i.name, i.encoding) for i in shared),
            tracking=True,
            settings={**defaults.call.settings, **defaults.start_options, **last_step_closes},
        ),
        parameters={
            **from_inputs(shared),
            JOB_ID_INPUT: Parameter("STRING", Constant(JOB_ID)),
            JOB_NAME_INPUT: Parameter("STRING", Constant(JOB_NAME)),
        },
        outputs={RUN_LINK: "Markdown"},
        output_parameters=(RUN_ID.key,),
        pod_fields=defaults.pod_fields,
    )


def mark_success(defaults: Defaults, steps: Sequence[Task]) -> Task:
    """The last task of a run that succeeds; never cached, so that a run of cached steps is closed as well."""
    shared = defaults.shared_inputs
    return Task(
        name=names.MARK_SUCCESS,
        display_name=names.MARK_SUCCESS,
        image=defaults.image,
        call=replace(
            defaults.call,
            action="succeed",
            step=names.MARK_SUCCESS,
            parameters=tuple((i.name, i.encoding) for i in shared),
            tracking=True,
        ),
        parameters={**from_inputs(shared), RUN_ID_INPUT: Parameter("STRING", RUN_ID)},
        after=_leaves(steps),
        pod_fields=defaults.pod_fields,
    )


def run_succeeded(defaults: Defaults, steps: Sequence[Task]) -> Task:
    """The last task of a run that succeeds, where cached steps would leave its end in doubt.

    KFP's backend updates the state of a group when a task's own process ends, which one from the cache does not have: a group
    whose last task was cached looks like one whose last task was killed.
    """
    return Task(
        name=names.RUN_SUCCEEDED,
        display_name=names.RUN_SUCCEEDED,
        image=defaults.image,
        call=replace(defaults.call, action="succeed", step=names.RUN_SUCCEEDED),
        after=_leaves(steps),
        pod_fields=defaults.pod_fields,
    )


def finish(defaults: Defaults, name: str) -> Task:
    """The exit task: closes the MLflow run, runs the exit pipeline, sends notifications."""
    at_exit = defaults.at_exit or AtExit()
    step = at_exit.step
    named = {*defaults.shared, *(step.parameters if step else ())}
    used = [i for i in defaults.inputs if i.name in named]
    return Task(
        name=name,
        display_name=name,
        image=defaults.image,
        call=replace(
            defaults.call,
            action="finish",
            step=name,
            nodes=tuple(node.name for node in step.nodes) if step else (),
            outputs=tuple(o.artifact for o in step.outputs) if step else (),
            parameters=tuple((i.name, i.encoding) for i in used),
            tracking=defaults.tracking,
            settings={**defaults.call.settings, **(defaults.step_options if step else {}), **at_exit.options},
        ),
        parameters={
            **from_inputs(used),
            JOB_ID_INPUT: Parameter("STRING", Constant(JOB_ID)),
            STATUS_INPUT: Parameter("TASK_FINAL_STATUS", FinalStatus(GROUP)),
        },
        outputs={o.artifact.name: o.type for o in step.outputs} if step else {},
        after=(GROUP,),
        at_exit=True,
        pod_fields=defaults.pod_fields,
    )


def _leaves(steps: Sequence[Task]) -> tuple[str, ...]:
    """The steps that no step waits for."""
    waited_for = {task_input.producer for task in steps for task_input in task.artifacts.values()}
    waited_for |= {name for task in steps for name in task.after}
    return tuple(sorted({task.name for task in steps} - waited_for))
