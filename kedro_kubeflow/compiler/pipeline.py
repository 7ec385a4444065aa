"""The whole pipeline: the steps, the MLflow frame around them, and the spec that holds both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf import json_format
from kfp import __version__ as sdk_version
from kfp.pipeline_spec import pipeline_spec_pb2 as ir

from kedro_kubeflow import names
from kedro_kubeflow.compiler import spec
from kedro_kubeflow.compiler.package import CompiledPipeline
from kedro_kubeflow.compiler.task import JOB_ID, JOB_NAME, Constant, FinalStatus, FromInput, FromTask, Parameter, Task
from kedro_kubeflow.contract import (
    JOB_ID_INPUT,
    JOB_NAME_INPUT,
    RUN_ID_ENV,
    RUN_ID_INPUT,
    STATUS_INPUT,
    Crossing,
    StepCall,
)
from kedro_kubeflow.dag import Dag, PipelineInput, Step

GROUP = "exit-handler-1"
"""The name that KFP's own compiler gives to the sub-DAG of an exit handler."""

RUN_ID = FromTask(names.START_RUN, "run_id")
# Like the inputs of our own in contract: a dash that is not before a digest, so that no dataset is called so.
RUN_LINK = "mlflow-run"
LOGGED_METRICS = "mlflow-metrics"


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What stands around the steps.

    Attributes:
        name: the KFP pipeline name.
        image: the image of every task.
        tracking: whether there is an MLflow run; then ``close_run`` says who ends it.
        call: what every call has in common (pipeline, env, package, conf source).
        start_settings: options of the start task's call.
        step_settings: options of every step's call.
        platform: Kubernetes settings of every task.
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
    platform: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


def compile_pipeline(dag: Dag, frame: Frame) -> CompiledPipeline:
    """Compile; the same arguments give the same bytes."""
    steps = [_step_task(step, dag, frame) for step in dag.steps]
    if not frame.tracking:
        tasks, pipeline = steps, _pipeline_spec(frame, dag, root=_dag_spec(steps))
    elif frame.close_run == "last_task":
        tasks = [_start(frame), *map(_joined, steps), _mark_success(frame, steps)]
        pipeline = _pipeline_spec(frame, dag, root=_dag_spec(tasks))
    else:
        inner = [*map(_joined, steps), _mark_success(frame, steps)]
        tasks = [_start(frame), *inner, _end(frame)]
        pipeline = _pipeline_spec(frame, dag, root=_root_with_exit(frame, dag))
        pipeline.components[f"comp-{GROUP}"].CopyFrom(_group_component(inner, dag))
    for task in tasks:
        pipeline.components[f"comp-{task.name}"].CopyFrom(spec.component_spec(task))
    return CompiledPipeline(
        name=frame.name,
        display_name=frame.display_name,
        description=frame.description,
        pipeline_spec={**json_format.MessageToDict(pipeline), "deploymentSpec": _deployment(tasks)},
        platform_spec=_platform_spec(tasks),
        parameters={i.name: i.default for i in dag.inputs},
        tags=frame.tags,
        notes=dag.notes,
    )


def _step_task(step: Step, dag: Dag, frame: Frame) -> Task:
    inputs = {i.name: i for i in dag.inputs}
    used = [inputs[name] for name in step.parameters]
    return Task(
        name=step.name,
        title=step.title,
        image=frame.image,
        call=replace(
            frame.call,
            action="run",
            step=step.title,
            nodes=tuple(node.name for node in step.nodes),
            inputs=tuple(i.crossing for i in step.inputs),
            outputs=tuple(o.crossing for o in step.outputs),
            parameters=tuple((i.name, i.encoding) for i in used),
            tracking=frame.tracking,
            settings={
                **frame.step_settings,
                **({"closes_on_failure": True} if frame.tracking and frame.close_run == "last_task" else {}),
            },
        ),
        parameters={i.name: Parameter(i.encoding.kfp_type, FromInput(i.name)) for i in used},
        artifacts={i.crossing.artifact: (i.type, i.producer, i.crossing.artifact) for i in step.inputs},
        outputs={o.crossing.artifact: o.type for o in step.outputs},
        after=step.after,
        platform=frame.platform,
    )


def _joined(task: Task) -> Task:
    """A step that joins the MLflow run of the start task."""
    logged = Crossing(LOGGED_METRICS, "MLflow metrics", "mlflow", required=False)
    return replace(
        task,
        call=replace(task.call, outputs=(*task.call.outputs, logged)),
        parameters={**task.parameters, RUN_ID_INPUT: Parameter("STRING", RUN_ID)},
        outputs={**task.outputs, LOGGED_METRICS: "Metrics"},
    )


def _start(frame: Frame) -> Task:
    link = Crossing(RUN_LINK, "MLflow run", "link", required=False)
    return Task(
        name=names.START_RUN,
        title=names.START_RUN,
        image=frame.image,
        call=replace(
            frame.call,
            action="start",
            step=names.START_RUN,
            outputs=(link,),
            tracking=True,
            settings=dict(frame.start_settings),
        ),
        parameters={
            JOB_ID_INPUT: Parameter("STRING", Constant(JOB_ID)),
            JOB_NAME_INPUT: Parameter("STRING", Constant(JOB_NAME)),
        },
        outputs={RUN_LINK: "Markdown"},
        puts_out=(RUN_ID.key,),
        platform=frame.platform,
    )


def _mark_success(frame: Frame, steps: Sequence[Task]) -> Task:
    """The last task of a run that succeeds; never cached, so that a run of cached steps is closed as well."""
    waited_for = {producer for task in steps for _, producer, _ in task.artifacts.values()}
    waited_for |= {name for task in steps for name in task.after}
    return Task(
        name=names.MARK_SUCCESS,
        title=names.MARK_SUCCESS,
        image=frame.image,
        call=replace(frame.call, action="succeed", step=names.MARK_SUCCESS, tracking=True),
        parameters={RUN_ID_INPUT: Parameter("STRING", RUN_ID)},
        after=tuple(sorted({task.name for task in steps} - waited_for)),
        platform=frame.platform,
    )


def _end(frame: Frame) -> Task:
    return Task(
        name=names.END_RUN,
        title=names.END_RUN,
        image=frame.image,
        call=replace(frame.call, action="finish", step=names.END_RUN, tracking=True),
        parameters={
            JOB_ID_INPUT: Parameter("STRING", Constant(JOB_ID)),
            STATUS_INPUT: Parameter("TASK_FINAL_STATUS", FinalStatus(GROUP)),
        },
        after=(GROUP,),
        at_exit=True,
        platform=frame.platform,
    )


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


def _root_with_exit(frame: Frame, dag: Dag) -> ir.DagSpec:
    """Start task, the group of steps, and the exit task that runs whatever became of the group."""
    root = _dag_spec([_start(frame), _end(frame)])
    root.tasks[GROUP].CopyFrom(
        ir.PipelineTaskSpec(
            task_info=ir.PipelineTaskInfo(name=names.STEPS_GROUP),
            component_ref=ir.ComponentRef(name=f"comp-{GROUP}"),
            dependent_tasks=[names.START_RUN],
            inputs=ir.TaskInputsSpec(
                parameters={name: spec.input_parameter(p, {}) for name, p in _group_inputs(dag).items()}
            ),
        )
    )
    return root


def _group_inputs(dag: Dag) -> dict[str, Parameter]:
    """What the group of steps receives: the pipeline's inputs and the MLflow run's id."""
    used = {name for step in dag.steps for name in step.parameters}
    given = {i.name: Parameter(i.encoding.kfp_type, FromInput(i.name)) for i in dag.inputs if i.name in used}
    return {**given, RUN_ID_INPUT: Parameter("STRING", RUN_ID)}


def _group_component(tasks: Sequence[Task], dag: Dag) -> ir.ComponentSpec:
    inputs = {name: spec.parameter_spec(p) for name, p in _group_inputs(dag).items()}
    return ir.ComponentSpec(
        dag=_dag_spec(tasks, passed_in={RUN_ID: RUN_ID_INPUT}),
        input_definitions=ir.ComponentInputsSpec(parameters=inputs),
    )


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


def _platform_spec(tasks: Sequence[Task]) -> dict[str, Any]:
    executors = dict(_platform_executors(tasks))
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": executors}}}} if executors else {}


def _platform_executors(tasks: Sequence[Task]) -> Iterator[tuple[str, Any]]:
    for task in tasks:
        if task.platform:
            yield f"exec-{task.name}", dict(task.platform)


def run_id_from_label() -> dict[str, str]:
    """The run's id as an environment variable of the pod, from the label that KFP's server sets."""
    return {"name": RUN_ID_ENV, "fieldPath": "metadata.labels['pipeline/runid']"}
