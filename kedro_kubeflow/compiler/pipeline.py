"""The whole pipeline: the graph, the components, and the spec that holds both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf import json_format
from kfp import __version__ as sdk_version
from kfp.pipeline_spec import pipeline_spec_pb2 as ir

from kedro_kubeflow import names
from kedro_kubeflow.compiler import spec
from kedro_kubeflow.compiler.package import CompiledPipeline
from kedro_kubeflow.compiler.platform import platform_spec
from kedro_kubeflow.plan.inputs import PipelineInput
from kedro_kubeflow.plan.plan import Plan
from kedro_kubeflow.plan.plugin_tasks import GROUP
from kedro_kubeflow.plan.task import FromInput, Parameter, Task


def translate(plan: Plan) -> CompiledPipeline:
    """Translate a plan; the same plan gives the same bytes."""
    root = _dag_spec(plan.root)
    if plan.group:
        root.tasks[GROUP].CopyFrom(_group_task(plan))
    pipeline = _pipeline_spec(plan, root=root)
    if plan.group:
        pipeline.components[f"comp-{GROUP}"].CopyFrom(_group_component(plan))
    for task in plan.tasks:
        pipeline.components[f"comp-{task.name}"].CopyFrom(spec.component_spec(task))
    return CompiledPipeline(
        name=plan.name,
        display_name=plan.display_name,
        description=plan.description,
        pipeline_spec={**json_format.MessageToDict(pipeline), "deploymentSpec": _deployment(plan.tasks)},
        platform_spec=platform_spec(plan),
        parameters={i.name: i.default for i in plan.inputs},
        tags=plan.tags,
    )


def _dag_spec(tasks: Sequence[Task]) -> ir.DagSpec:
    """One level of the graph."""
    here = {task.name for task in tasks} | {GROUP}
    return ir.DagSpec(tasks={task.name: spec.task_spec(task, waits_for=task.upstream & here) for task in tasks})


def _group_task(plan: Plan) -> ir.PipelineTaskSpec:
    """The group's place at the root."""
    task = ir.PipelineTaskSpec(
        task_info=ir.PipelineTaskInfo(name=names.STEPS_GROUP),
        component_ref=ir.ComponentRef(name=f"comp-{GROUP}"),
        dependent_tasks=sorted({name for task in plan.group for name in task.upstream} & {t.name for t in plan.root}),
    )
    for name, parameter in _group_inputs(plan).items():
        task.inputs.parameters[name].CopyFrom(spec.input_parameter(parameter))
    return task


def _group_inputs(plan: Plan) -> dict[str, Parameter]:
    """What the group of steps receives: the pipeline's inputs."""
    sources = {p.source for task in plan.group for p in task.parameters.values() if isinstance(p.source, FromInput)}
    given = {i.name: FromInput(i.name) for i in plan.inputs}
    return {i.name: Parameter(i.encoding.kfp_type, given[i.name]) for i in plan.inputs if given[i.name] in sources}


def _group_component(plan: Plan) -> ir.ComponentSpec:
    component = ir.ComponentSpec(dag=_dag_spec(plan.group))
    for name, parameter in _group_inputs(plan).items():
        component.input_definitions.parameters[name].CopyFrom(spec.parameter_spec(parameter))
    return component


def _pipeline_spec(plan: Plan, *, root: ir.DagSpec) -> ir.PipelineSpec:
    message = ir.PipelineSpec(
        pipeline_info=ir.PipelineInfo(name=plan.name, display_name=plan.display_name, description=plan.description),
        schema_version="2.1.0",
        sdk_version=f"kfp-{sdk_version}",
        root=ir.ComponentSpec(dag=root),
    )
    for item in plan.inputs:
        message.root.input_definitions.parameters[item.name].CopyFrom(_pipeline_input(item))
    return message


def _pipeline_input(item: PipelineInput) -> ir.ComponentInputsSpec.ParameterSpec:
    return ir.ComponentInputsSpec.ParameterSpec(
        parameter_type=ir.ParameterType.ParameterTypeEnum.Value(item.encoding.kfp_type),
        default_value=spec.plain_value(item.default),
        is_optional=True,
        description=f"Kedro parameter {item.encoding.key!r}",
    )


def _deployment(tasks: Sequence[Task]) -> dict[str, Any]:
    return {"executors": {f"exec-{task.name}": spec.executor_spec(task) for task in tasks}}


def translate_tasks(name: str, display_name: str, tasks: Sequence[Task]) -> CompiledPipeline:
    """A pipeline of a few tasks side by side, which no project has made: no inputs, nothing asked of Kubernetes."""
    message = ir.PipelineSpec(
        pipeline_info=ir.PipelineInfo(name=name, display_name=display_name),
        schema_version="2.1.0",
        sdk_version=f"kfp-{sdk_version}",
        root=ir.ComponentSpec(dag=_dag_spec(tasks)),
    )
    for task in tasks:
        message.components[f"comp-{task.name}"].CopyFrom(spec.component_spec(task))
    return CompiledPipeline(
        name=name,
        display_name=display_name,
        pipeline_spec={**json_format.MessageToDict(message), "deploymentSpec": _deployment(tasks)},
    )
