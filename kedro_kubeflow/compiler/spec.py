"""Tasks → KFP's IR: one function, one message.

The messages are defined by kubeflow/pipelines ``api/v2alpha1/pipeline_spec.proto``, and stand here as protobuf writes them as
JSON (https://protobuf.dev/programming-guides/json/): what is empty or the default is left out, numbers in a ``Value`` are floats.
Tests hold them against KFP's own classes, whose import takes longer than all else of compiling. A *component* says what goes in
and out, a *task* where it stands in the graph, an *executor* how it runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kedro_kubeflow.compiler.kubernetes import container_resources, retry_policy_json
from kedro_kubeflow.config.settings import StepSettings
from kedro_kubeflow.plan.task import Constant, FinalStatus, FromInput, InputArtifact, Parameter, Task

Message = dict[str, Any]
SCHEMA_VERSION = "0.0.1"
"""Of KFP's system artifact types, all of them."""


def without_empty(message: Message) -> Message:
    """A message without the fields that are not set."""
    return {key: value for key, value in message.items() if value not in (None, "", False, [], {})}


def component_spec(task: Task) -> Message:
    """``ComponentSpec``: the interface of a task's container."""
    return without_empty(
        {
            "executorLabel": f"exec-{task.name}",
            "inputDefinitions": input_definitions(task),
            "outputDefinitions": output_definitions(task),
        }
    )


def input_definitions(task: Task) -> Message:
    """``ComponentInputsSpec``: what goes in."""
    return without_empty(
        {
            "parameters": {name: parameter_spec(p) for name, p in task.parameters.items()},
            "artifacts": {name: artifact_spec(a.type) for name, a in task.artifacts.items()},
        }
    )


def output_definitions(task: Task) -> Message:
    """``ComponentOutputsSpec``: what comes out."""
    return without_empty(
        {
            "parameters": {name: {"parameterType": "STRING"} for name in task.output_parameters},
            "artifacts": {name: artifact_spec(kind) for name, kind in task.outputs.items()},
        }
    )


def parameter_spec(parameter: Parameter) -> Message:
    """``ParameterSpec``: the type of one input parameter; a final status is optional, as only some backends give one."""
    optional = isinstance(parameter.source, FinalStatus)
    return without_empty({"parameterType": parameter.kfp_type, "isOptional": optional})


def artifact_spec(kind: str) -> Message:
    """``ArtifactSpec``: one of KFP's system types, such as ``system.Dataset``; without a version, which KFP never reads."""
    return {"artifactType": {"schemaTitle": f"system.{kind}"}}


def task_spec(task: Task, *, waits_for: Iterable[str]) -> Message:
    """``PipelineTaskSpec``: a task's place in the graph.

    Args:
        waits_for: tasks of this level that come before it.
    """
    return without_empty(
        {
            "taskInfo": {"name": task.display_name},
            "componentRef": {"name": f"comp-{task.name}"},
            "cachingOptions": {"enableCache": True} if task.cache else {},
            "dependentTasks": sorted(set(waits_for)),
            "inputs": task_inputs(task),
            "retryPolicy": retry_policy_json(task.settings.retry) if task.settings else {},
            "triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"} if task.at_exit else {},
        }
    )


def task_inputs(task: Task) -> Message:
    """``TaskInputsSpec``: where a task's inputs come from."""
    return without_empty(
        {
            "parameters": {name: input_parameter(p) for name, p in task.parameters.items()},
            "artifacts": {name: input_artifact(a) for name, a in task.artifacts.items()},
        }
    )


def input_parameter(parameter: Parameter) -> Message:
    """``InputParameterSpec``: where one parameter comes from."""
    source = parameter.source
    if isinstance(source, Constant):
        return {"runtimeValue": {"constant": plain_value(source.value)}}
    if isinstance(source, FromInput):
        return {"componentInputParameter": source.name}
    if isinstance(source, FinalStatus):
        return {"taskFinalStatus": {"producerTask": source.task}}
    return {"taskOutputParameter": {"producerTask": source.task, "outputParameterKey": source.key}}


def input_artifact(artifact: InputArtifact) -> Message:
    """``InputArtifactSpec``: which task's artifact comes in."""
    return {"taskOutputArtifact": {"producerTask": artifact.producer, "outputArtifactKey": artifact.key}}


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
    """A value as protobuf's ``Value``, whose numbers are all floats."""
    if isinstance(value, dict):
        return {key: plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
