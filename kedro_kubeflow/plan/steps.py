"""A step of the DAG as a task, with or without the MLflow run."""

from __future__ import annotations

from dataclasses import replace

from kedro_kubeflow import names
from kedro_kubeflow.contract import RUN_ID_INPUT, Artifact
from kedro_kubeflow.plan.dag import Dag, Step
from kedro_kubeflow.plan.frame import LOGGED_METRICS, RUN_ID, Frame
from kedro_kubeflow.plan.task import FromInput, Parameter, Task


def step_task(step: Step, dag: Dag, frame: Frame) -> Task:
    """The task of one step."""
    inputs = {i.name: i for i in dag.inputs}
    used = [inputs[name] for name in step.parameters]
    cached = {"cache_key": frame.cache_keys.get(step.title, "")} if frame.caches(step) else {}
    closes = {"closes_on_failure": True} if frame.tracking and frame.close_run == "last_task" else {}
    return Task(
        name=step.name,
        title=step.title,
        image=frame.image,
        call=replace(
            frame.call,
            action="run",
            step=step.title,
            nodes=tuple(node.name for node in step.nodes),
            inputs=tuple(i.artifact for i in step.inputs),
            outputs=tuple(o.artifact for o in step.outputs),
            parameters=tuple((i.name, i.encoding) for i in used),
            tracking=frame.tracking,
            settings={**frame.call.settings, **frame.step_settings, **closes, **cached},
        ),
        parameters={i.name: Parameter(i.encoding.kfp_type, FromInput(i.name)) for i in used},
        artifacts={i.artifact.name: (i.type, i.producer, i.artifact.name) for i in step.inputs},
        outputs={o.artifact.name: o.type for o in step.outputs},
        after=step.after,
        cache=frame.caches(step),
        platform=frame.platform,
    )


def joined(task: Task, *, waits_for_start: bool) -> Task:
    """A step that joins the MLflow run of the start task.

    A cached step is not given the run's id: an input that differs from run to run would be part of its key, and nothing would
    ever be found. It looks the run up by the pipeline run's own id, which its pod has from a label.

    Args:
        waits_for_start: whether a cached step must be told to wait; inside a group of steps, the group waits already.
    """
    logged = Artifact(LOGGED_METRICS, "MLflow metrics", "mlflow", required=False)
    task = replace(
        task,
        call=replace(task.call, outputs=(*task.call.outputs, logged)) if task.call else None,
        outputs={**task.outputs, LOGGED_METRICS: "Metrics"},
    )
    if not task.cache:
        return replace(task, parameters={**task.parameters, RUN_ID_INPUT: Parameter("STRING", RUN_ID)})
    return replace(task, after=(*task.after, names.START_RUN)) if waits_for_start else task
