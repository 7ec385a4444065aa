"""The whole pipeline: the graph, the components, and the spec that holds both."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from kedro_kubeflow import names
from kedro_kubeflow.compiler import spec
from kedro_kubeflow.compiler.package import CompiledPipeline
from kedro_kubeflow.compiler.platform import platform_spec
from kedro_kubeflow.compiler.spec import Message, without_empty
from kedro_kubeflow.plan.inputs import PipelineInput
from kedro_kubeflow.plan.plan import Plan
from kedro_kubeflow.plan.plugin_tasks import GROUP
from kedro_kubeflow.plan.task import FromInput, Parameter, Task


def translate(plan: Plan) -> CompiledPipeline:
    """Translate a plan; the same plan gives the same bytes."""
    tasks = _tasks(plan.root)
    components = {f"comp-{task.name}": spec.component_spec(task) for task in plan.tasks}
    if plan.group:
        tasks[GROUP] = _group_task(plan)
        components[f"comp-{GROUP}"] = _group_component(plan)
    inputs = {item.name: _pipeline_input(item) for item in plan.inputs}
    root = without_empty({"dag": {"tasks": tasks}, "inputDefinitions": without_empty({"parameters": inputs})})
    info = {"name": plan.name, "displayName": plan.display_name, "description": plan.description}
    return CompiledPipeline(
        name=plan.name,
        display_name=plan.display_name,
        description=plan.description,
        pipeline_spec=_pipeline_spec(info, root, components, plan.tasks),
        platform_spec=platform_spec(plan),
        parameters={i.name: i.default for i in plan.inputs},
        tags=plan.tags,
    )


def _tasks(tasks: Sequence[Task]) -> Message:
    """The tasks of one level of the graph."""
    here = {task.name for task in tasks} | {GROUP}
    return {task.name: spec.task_spec(task, waits_for=task.upstream & here) for task in tasks}


def _group_task(plan: Plan) -> Message:
    """The group's place at the root."""
    parameters = {name: spec.input_parameter(p) for name, p in _group_inputs(plan).items()}
    before = {name for task in plan.group for name in task.upstream} & {t.name for t in plan.root}
    return without_empty(
        {
            "taskInfo": {"name": names.STEPS_GROUP},
            "componentRef": {"name": f"comp-{GROUP}"},
            "dependentTasks": sorted(before),
            "inputs": without_empty({"parameters": parameters}),
        }
    )


def _group_inputs(plan: Plan) -> dict[str, Parameter]:
    """What the group of steps receives: the pipeline's inputs."""
    sources = {p.source for task in plan.group for p in task.parameters.values() if isinstance(p.source, FromInput)}
    given = {i.name: FromInput(i.name) for i in plan.inputs}
    return {i.name: Parameter(i.encoding.kfp_type, given[i.name]) for i in plan.inputs if given[i.name] in sources}


def _group_component(plan: Plan) -> Message:
    parameters = {name: spec.parameter_spec(p) for name, p in _group_inputs(plan).items()}
    inputs = without_empty({"parameters": parameters})
    return without_empty({"dag": {"tasks": _tasks(plan.group)}, "inputDefinitions": inputs})


def _pipeline_input(item: PipelineInput) -> Message:
    return {
        "parameterType": item.encoding.kfp_type,
        "defaultValue": spec.plain_value(item.default),
        "isOptional": True,
        "description": f"Kedro parameter {item.encoding.key!r}",
    }


def _pipeline_spec(info: Message, root: Message, components: Message, tasks: Sequence[Task]) -> Message:
    """``PipelineSpec``."""
    return without_empty(
        {
            "pipelineInfo": without_empty(info),
            "schemaVersion": "2.1.0",
            "sdkVersion": f"kfp-{version('kfp')}",
            "root": root,
            "components": components,
            "deploymentSpec": {"executors": {f"exec-{task.name}": spec.executor_spec(task) for task in tasks}},
        }
    )


def translate_tasks(name: str, display_name: str, tasks: Sequence[Task]) -> CompiledPipeline:
    """A pipeline of a few tasks side by side, which no project has made: no inputs, nothing asked of Kubernetes."""
    components = {f"comp-{task.name}": spec.component_spec(task) for task in tasks}
    root = {"dag": {"tasks": _tasks(tasks)}}
    info = {"name": name, "displayName": display_name}
    return CompiledPipeline(
        name=name, display_name=display_name, pipeline_spec=_pipeline_spec(info, root, components, tasks)
    )
