"""Tasks → the messages of KFP's IR: one function, one message.

The messages are defined by kubeflow/pipelines ``api/v2alpha1/pipeline_spec.proto``. A *component* says what goes in and out, a
*task* where it stands in the graph, an *executor* how it runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf import duration_pb2
from kfp.pipeline_spec import pipeline_spec_pb2 as ir

from kedro_kubeflow.compiler.kubernetes import NO_END, container_resources
from kedro_kubeflow.config.retry import RetryPolicyConfig
from kedro_kubeflow.config.settings import StepSettings
from kedro_kubeflow.plan.task import Constant, FinalStatus, FromInput, InputArtifact, Parameter, Task

SCHEMA_VERSION = "0.0.1"


def component_spec(task: Task) -> ir.ComponentSpec:
    """The interface of a task's container."""
    return ir.ComponentSpec(
        executor_label=f"exec-{task.name}",
        input_definitions=input_definitions(task),
        output_definitions=output_definitions(task),
    )


def input_definitions(task: Task) -> ir.ComponentInputsSpec | None:
    """What goes in; None where nothing does, as an empty message would still be written."""
    if not (task.parameters or task.artifacts):
        return None
    return ir.ComponentInputsSpec(
        parameters={name: parameter_spec(p) for name, p in task.parameters.items()},
        artifacts={name: input_artifact_spec(a.type) for name, a in task.artifacts.items()},
    )


def output_definitions(task: Task) -> ir.ComponentOutputsSpec | None:
    """What comes out."""
    if not (task.outputs or task.output_parameters):
        return None
    string = ir.ParameterType.STRING
    return ir.ComponentOutputsSpec(
        parameters={
            name: ir.ComponentOutputsSpec.ParameterSpec(parameter_type=string) for name in task.output_parameters
        },
        artifacts={name: output_artifact_spec(kind) for name, kind in task.outputs.items()},
    )


def parameter_spec(parameter: Parameter) -> ir.ComponentInputsSpec.ParameterSpec:
    """The type of one input parameter; a final status is optional, as only some backends give one."""
    return ir.ComponentInputsSpec.ParameterSpec(
        parameter_type=ir.ParameterType.ParameterTypeEnum.Value(parameter.kfp_type),
        is_optional=isinstance(parameter.source, FinalStatus),
    )


def artifact_type(kind: str) -> ir.ArtifactTypeSchema:
    """One of KFP's system types, such as ``system.Dataset``; without a version, which KFP never reads."""
    return ir.ArtifactTypeSchema(schema_title=f"system.{kind}")


def input_artifact_spec(kind: str) -> ir.ComponentInputsSpec.ArtifactSpec:
    """The type of one input artifact."""
    return ir.ComponentInputsSpec.ArtifactSpec(artifact_type=artifact_type(kind))


def output_artifact_spec(kind: str) -> ir.ComponentOutputsSpec.ArtifactSpec:
    """The type of one output artifact."""
    return ir.ComponentOutputsSpec.ArtifactSpec(artifact_type=artifact_type(kind))


def task_spec(task: Task, *, waits_for: Iterable[str]) -> ir.PipelineTaskSpec:
    """A task's place in the graph.

    Args:
        waits_for: tasks of this level that come before it.
    """
    spec = ir.PipelineTaskSpec(
        task_info=ir.PipelineTaskInfo(name=task.display_name),
        component_ref=ir.ComponentRef(name=f"comp-{task.name}"),
        caching_options=ir.PipelineTaskSpec.CachingOptions(enable_cache=True) if task.cache else None,
        dependent_tasks=sorted(set(waits_for)),
    )
    if task.parameters or task.artifacts:
        spec.inputs.CopyFrom(task_inputs(task))
    if task.settings and task.settings.retry.num_retries:
        spec.retry_policy.CopyFrom(retry_policy(task.settings.retry))
    if task.at_exit:
        spec.trigger_policy.strategy = ir.PipelineTaskSpec.TriggerPolicy.TriggerStrategy.ALL_UPSTREAM_TASKS_COMPLETED
    return spec


def retry_policy(policy: RetryPolicyConfig) -> ir.PipelineTaskSpec.RetryPolicy:
    """How often a failed task is tried again."""
    return ir.PipelineTaskSpec.RetryPolicy(
        max_retry_count=policy.num_retries,
        backoff_duration=duration_pb2.Duration(seconds=policy.backoff_duration),
        backoff_factor=policy.backoff_factor,
        backoff_max_duration=duration_pb2.Duration(seconds=policy.max_duration or NO_END),
    )


def task_inputs(task: Task) -> ir.TaskInputsSpec:
    """Where a task's inputs come from."""
    return ir.TaskInputsSpec(
        parameters={name: input_parameter(p) for name, p in task.parameters.items()},
        artifacts={name: input_artifact(a) for name, a in task.artifacts.items()},
    )


def input_parameter(parameter: Parameter) -> ir.TaskInputsSpec.InputParameterSpec:
    """Where one parameter comes from."""
    message = ir.TaskInputsSpec.InputParameterSpec
    source = parameter.source
    if isinstance(source, Constant):
        return message(runtime_value=ir.ValueOrRuntimeParameter(constant=plain_value(source.value)))
    if isinstance(source, FromInput):
        return message(component_input_parameter=source.name)
    if isinstance(source, FinalStatus):
        return message(task_final_status=message.TaskFinalStatus(producer_task=source.task))
    return message(
        task_output_parameter=message.TaskOutputParameterSpec(
            producer_task=source.task, output_parameter_key=source.key
        )
    )


def input_artifact(artifact: InputArtifact) -> ir.TaskInputsSpec.InputArtifactSpec:
    """Which task's artifact comes in."""
    message = ir.TaskInputsSpec.InputArtifactSpec
    return message(
        task_output_artifact=message.TaskOutputArtifactSpec(
            producer_task=artifact.producer, output_artifact_key=artifact.key
        )
    )


def executor_spec(task: Task) -> dict[str, Any]:
    """How a task runs, as plain values: the deployment spec is a free-form struct in KFP's IR."""
    if task.imports:
        return {"importer": importer_spec(task)}
    if task.call is None:
        return {"container": {"image": task.image}}
    argv = task.call.to_argv()
    cut = argv.index(task.call.action) + 1
    container: dict[str, Any] = {"image": task.image, "command": argv[:cut], "args": argv[cut:]}
    if task.settings:
        container |= container_settings(task.settings)
    return {"container": container}


def importer_spec(task: Task) -> dict[str, Any]:
    """Which artifact a task makes known; one that KFP knows already is not made anew."""
    (kind,) = task.outputs.values()
    schema = {"schemaTitle": f"system.{kind}", "schemaVersion": SCHEMA_VERSION}
    return {"artifactUri": {"constant": task.imports}, "typeSchema": schema}


def container_settings(given: StepSettings) -> dict[str, Any]:
    """What kubeflow.yml adds to a container: literal variables and resources; the rest stands in the platform spec."""
    literals = {name: value for name, value in given.env.items() if isinstance(value, str)}
    found: dict[str, Any] = {"env": [{"name": name, "value": value} for name, value in sorted(literals.items())]}
    found |= {"resources": container_resources(given.resources)}
    return {key: value for key, value in found.items() if value}


def plain_value(value: Any) -> Any:
    """A value as protobuf's ``Value``."""
    from google.protobuf import json_format, struct_pb2

    return json_format.ParseDict(value, struct_pb2.Value())
