"""A step as a task, with or without the MLflow run."""

from __future__ import annotations

from dataclasses import replace

from kedro_kubeflow import names
from kedro_kubeflow.contract import RUN_ID_INPUT, Artifact
from kedro_kubeflow.plan.defaults import Defaults, from_inputs
from kedro_kubeflow.plan.plugin_tasks import LOGGED_METRICS, RUN_ID
from kedro_kubeflow.plan.steps import Step
from kedro_kubeflow.plan.task import InputArtifact, Parameter, Task


def step_task(step: Step, defaults: Defaults) -> Task:
    """The task of one step."""
    inputs = {i.name: i for i in defaults.inputs}
    used = [inputs[name] for name in step.parameters]
    cached = {"cache_key": defaults.cache_keys.get(step.display_name, "")} if defaults.caches(step) else {}
    aliases = dict(pair for node in step.nodes for pair in node.aliases)
    named = {"aliases": aliases} if aliases else {}
    closes = {"closes_on_failure": True} if defaults.tracking and defaults.close_run == "last_task" else {}
    return Task(
        name=step.name,
        display_name=step.display_name,
        image=defaults.image,
        call=replace(
            defaults.call,
            action="run",
            step=step.display_name,
            nodes=tuple(node.name for node in step.nodes),
            inputs=tuple(i.artifact for i in step.inputs),
            outputs=tuple(o.artifact for o in step.outputs),
            parameters=tuple((i.name, i.encoding) for i in used),
            tracking=defaults.tracking,
            settings={**defaults.call.settings, **defaults.step_options, **named, **closes, **cached},
        ),
        parameters=from_inputs(used),
        artifacts={i.artifact.name: InputArtifact(i.type, i.producer, i.key or i.artifact.name) for i in step.inputs},
        outputs={o.artifact.name: o.type for o in step.outputs},
        after=step.after,
        cache=defaults.caches(step),
        pod_fields=defaults.pod_fields,
    )


def with_mlflow_run(task: Task, defaults: Defaults) -> Task:
    """A step that joins the MLflow run of the start task.

    A cached step is not given the run's id: an input that differs from run to run would be part of its key, and nothing would
    ever be found. It waits for the start task, and looks the run up by the pipeline run's own id, which its pod has from a label.
    """
    if task.name in defaults.logged and task.call:
        logged = Artifact(LOGGED_METRICS, "MLflow metrics", "mlflow", required=False)
        call = replace(task.call, outputs=(*task.call.outputs, logged))
        task = replace(task, call=call, outputs={**task.outputs, LOGGED_METRICS: "Metrics"})
    if task.cache:
        return replace(task, after=(*task.after, names.START_RUN))
    return replace(task, parameters={**task.parameters, RUN_ID_INPUT: Parameter("STRING", RUN_ID)})
