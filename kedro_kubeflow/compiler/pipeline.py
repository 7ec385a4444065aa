"""The whole pipeline: the steps, the tasks around them, and the spec that holds both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format
from kfp import __version__ as sdk_version
from kfp.pipeline_spec import pipeline_spec_pb2 as ir

from kedro_kubeflow import names
from kedro_kubeflow.compiler import spec
from kedro_kubeflow.compiler.kubernetes import settled
from kedro_kubeflow.compiler.package import CompiledPipeline
from kedro_kubeflow.compiler.platform import platform_spec, run_id_from_label
from kedro_kubeflow.contract import RUN_ID_INPUT
from kedro_kubeflow.plan import frame as around
from kedro_kubeflow.plan.dag import Dag, PipelineInput
from kedro_kubeflow.plan.frame import GROUP, RUN_ID, Frame
from kedro_kubeflow.plan.steps import joined, step_task
from kedro_kubeflow.plan.task import FromInput, FromTask, Parameter, Task
from kedro_kubeflow.plan.volume import mounted, volume_tasks, with_volume

__all__ = ["Frame", "compile_pipeline", "run_id_from_label", "tasks_of"]


@dataclass(frozen=True)
class Tasks:
    """Every task of a pipeline: those at its root, and those in the group that the exit task watches."""

    root: tuple[Task, ...]
    group: tuple[Task, ...] = ()

    @property
    def every(self) -> tuple[Task, ...]:
        """All of them, in an order in which they can run."""
        at_exit = tuple(task for task in self.root if task.at_exit)
        return (*(task for task in self.root if not task.at_exit), *self.group, *at_exit)


def compile_pipeline(dag: Dag, frame: Frame) -> CompiledPipeline:
    """Compile; the same arguments give the same bytes."""
    tasks = tasks_of(dag, frame)
    root = _dag_spec(tasks.root)
    if tasks.group:
        root.tasks[GROUP].CopyFrom(_group_task(tasks.group, dag, frame))
    pipeline = _pipeline_spec(frame, dag, root=root)
    if tasks.group:
        pipeline.components[f"comp-{GROUP}"].CopyFrom(_group_component(tasks.group, dag, frame))
    for task in tasks.every:
        pipeline.components[f"comp-{task.name}"].CopyFrom(spec.component_spec(task))
    return CompiledPipeline(
        name=frame.name,
        display_name=frame.display_name,
        description=frame.description,
        pipeline_spec={**json_format.MessageToDict(pipeline), "deploymentSpec": _deployment(tasks.every)},
        platform_spec=platform_spec(tasks.every, frame),
        parameters={i.name: i.default for i in dag.inputs},
        tags=frame.tags,
        notes=(*dag.notes, *frame.notes),
        titles=tuple(task.title for task in tasks.every if task.call),
        exit_call=next((task.call for task in tasks.root if task.at_exit), None),
    )


def tasks_of(dag: Dag, frame: Frame) -> Tasks:
    """Every task of the pipeline, its settings applied."""
    steps = mounted([step_task(step, dag, frame) for step in dag.steps], dag, frame)
    if frame.tracking:
        steps = [joined(task, waits_for_start=frame.exit_task is None) for task in steps]
    body = [*volume_tasks(frame), *steps, *_last(frame, steps, dag)]
    begin = [around.start(frame, dag)] if frame.tracking else []
    if frame.exit_task is None:
        return Tasks(root=tuple(settled(task, frame) for task in (*begin, *body)))
    end = around.finish(frame, dag, frame.exit_task)
    if frame.exit and frame.exit.step and frame.exit.step.volume:
        end = with_volume(end, frame)
    return Tasks(
        root=tuple(settled(task, frame) for task in (*begin, end)), group=tuple(settled(task, frame) for task in body)
    )


def _last(frame: Frame, steps: Sequence[Task], dag: Dag) -> list[Task]:
    if frame.tracking:
        return [around.mark_success(frame, steps, dag)]
    doubtful = frame.exit_task is not None and any(task.cache for task in steps)
    return [around.run_succeeded(frame, steps)] if doubtful else []


def _dag_spec(tasks: Sequence[Task], passed_in: Mapping[FromTask, str] | None = None) -> ir.DagSpec:
    """One level of the graph."""
    here = {task.name for task in tasks} | {GROUP}
    given = passed_in or {}
    return ir.DagSpec(
        tasks={task.name: spec.task_spec(task, passed_in=given, waits_for=_upstream(task) & here) for task in tasks}
    )


def _upstream(task: Task) -> set[str]:
    producers = {producer for _, producer, _ in task.artifacts.values()}
    sources = {p.source.task for p in task.parameters.values() if isinstance(p.source, FromTask)}
    return producers | sources | set(task.after)


def _group_task(tasks: Sequence[Task], dag: Dag, frame: Frame) -> ir.PipelineTaskSpec:
    """The group's place at the root."""
    task = ir.PipelineTaskSpec(
        task_info=ir.PipelineTaskInfo(name=names.STEPS_GROUP),
        component_ref=ir.ComponentRef(name=f"comp-{GROUP}"),
        dependent_tasks=[names.START_RUN] if frame.tracking else [],
    )
    for name, parameter in _group_inputs(tasks, dag).items():
        task.inputs.parameters[name].CopyFrom(spec.input_parameter(parameter, {}))
    return task


def _group_inputs(tasks: Sequence[Task], dag: Dag) -> dict[str, Parameter]:
    """What the group of steps receives: the pipeline's inputs and the MLflow run's id."""
    sources = {
        p.source for task in tasks for p in task.parameters.values() if isinstance(p.source, FromInput | FromTask)
    }
    given = {i.name: FromInput(i.name) for i in dag.inputs}
    found = {i.name: Parameter(i.encoding.kfp_type, given[i.name]) for i in dag.inputs if given[i.name] in sources}
    return {**found, RUN_ID_INPUT: Parameter("STRING", RUN_ID)} if RUN_ID in sources else found


def _group_component(tasks: Sequence[Task], dag: Dag, frame: Frame) -> ir.ComponentSpec:
    component = ir.ComponentSpec(dag=_dag_spec(tasks, passed_in={RUN_ID: RUN_ID_INPUT} if frame.tracking else None))
    for name, parameter in _group_inputs(tasks, dag).items():
        component.input_definitions.parameters[name].CopyFrom(spec.parameter_spec(parameter))
    return component


def _pipeline_spec(frame: Frame, dag: Dag, *, root: ir.DagSpec) -> ir.PipelineSpec:
    message = ir.PipelineSpec(
        pipeline_info=ir.PipelineInfo(name=frame.name, display_name=frame.display_name, description=frame.description),
        schema_version="2.1.0",
        sdk_version=f"kfp-{sdk_version}",
        root=ir.ComponentSpec(dag=root),
    )
    for item in dag.inputs:
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
