"""A step as a task, with or without the MLflow run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from kedro_kubeflow import names
from kedro_kubeflow.contract import Artifact
from kedro_kubeflow.plan.aliases import file_options
from kedro_kubeflow.plan.defaults import Defaults, from_inputs
from kedro_kubeflow.plan.plugin_tasks import LOGGED_METRICS
from kedro_kubeflow.plan.steps import Step
from kedro_kubeflow.plan.task import InputArtifact, Task


def step_task(step: Step, defaults: Defaults) -> Task:
    """The task of one step."""
    inputs = {i.name: i for i in defaults.inputs}
    used = [inputs[name] for name in step.parameters]
    cached = {"cache_key": defaults.cache_keys.get(step.display_name, "")} if defaults.caches(step) else {}
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
            settings={
                **defaults.call.settings,
                **defaults.step_options,
                **file_options(step.nodes),
                **closes,
                **cached,
            },
        ),
        parameters=from_inputs(used),
        artifacts={i.artifact.name: InputArtifact(i.type, i.producer, i.key or i.artifact.name) for i in step.inputs},
        outputs={o.artifact.name: o.type for o in step.outputs},
        after=step.after,
        cache=defaults.caches(step),
        pod_fields=defaults.pod_fields,
    )


def with_mlflow_run(task: Task, defaults: Defaults, steps: Collection[str]) -> Task:
    """A step that joins the MLflow run of the start task.

    It is not given the run's id, and looks the run up by the pipeline run's own, which its pod knows: an input would stand in
    Argo's workflow nine times, and keep a step from the cache. It waits for the start task, be it by way of other steps.

    Args:
        steps: the names of all steps.
    """
    if task.name in defaults.logged and task.call:
        logged = Artifact(LOGGED_METRICS, "MLflow metrics", "mlflow", required=False)
        call = replace(task.call, outputs=(*task.call.outputs, logged))
        task = replace(task, call=call, outputs={**task.outputs, LOGGED_METRICS: "Metrics"})
    waits_anyway = not task.upstream.isdisjoint(steps)
    return task if waits_anyway else replace(task, after=(*task.after, names.START_RUN))
