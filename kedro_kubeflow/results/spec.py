"""The artifacts that a compiled pipeline promises, read from its own steps' calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from kedro_kubeflow.contract import Artifact, StepCall, runtime_arguments
from kedro_kubeflow.results.artifact import RunArtifact, taken_over

# What steps make beside their datasets is no dataset: pictures, numbers, the way to the MLflow run.
STORED = ("file", "copy", "memory")


def artifacts_of(pipeline_spec: Mapping[str, Any]) -> list[RunArtifact]:
    """Every dataset that a run of the pipeline stores, after those that it has taken over.

    Where each will lie is not known yet, but for the latter.

    Args:
        pipeline_spec: KFP's IR, as JSON; tasks that are no steps of ours are passed over.
    """
    promised = [
        replace(made_by(call, output, types.get(output.name, "Artifact")), task=task, name=output.name)
        for task, call, component in _calls(pipeline_spec)
        if call.action == "run"
        for types in [_types(component)]
        for output in call.outputs
        if output.how in STORED
    ]
    return [*_taken_over(pipeline_spec), *promised]


def _taken_over(pipeline_spec: Mapping[str, Any]) -> Iterator[RunArtifact]:
    if said := _resume(pipeline_spec):
        for dataset, told in (said.get("made") or {}).items():
            yield taken_over(dataset, told, said["run"])


def made_by(call: StepCall, output: Artifact, kind: str, uri: str = "") -> RunArtifact:
    """One output of a call."""
    return RunArtifact(
        dataset=output.dataset, step=call.step, type=kind, uri=uri, filename=output.filename, how=output.how
    )


def _calls(spec: Mapping[str, Any]) -> Iterator[tuple[str, StepCall, Mapping[str, Any]]]:
    """The task's name, the call and the component of everything that the runtime is called for."""
    executors = (spec.get("deploymentSpec") or {}).get("executors") or {}
    for component in (spec.get("components") or {}).values():
        label = str(component.get("executorLabel", ""))
        container = (executors.get(label) or {}).get("container") or {}
        try:
            call, _ = StepCall.from_argv(runtime_arguments([*container.get("command", ()), *container.get("args", ())]))
        except ValueError:
            continue
        yield label.removeprefix("exec-"), call, component


def _types(component: Mapping[str, Any]) -> dict[str, str]:
    """The type of each output artifact, by its KFP name."""
    defined = (component.get("outputDefinitions") or {}).get("artifacts") or {}
    return {name: _kind(definition) for name, definition in defined.items()}


def _kind(definition: Mapping[str, Any]) -> str:
    return str((definition.get("artifactType") or {}).get("schemaTitle", "system.Artifact")).removeprefix("system.")


def defaults_of(pipeline_spec: Mapping[str, Any]) -> dict[str, Any]:
    """The pipeline's inputs, by KFP name, as they are where a run gives no others."""
    defined = ((pipeline_spec.get("root") or {}).get("inputDefinitions") or {}).get("parameters") or {}
    return {name: parameter.get("defaultValue") for name, parameter in defined.items()}


def nodes_of(pipeline_spec: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The nodes of each step, by its display name."""
    return {call.step: call.nodes for _, call, _ in _calls(pipeline_spec) if call.action == "run"}


def nodes_taken_over(pipeline_spec: Mapping[str, Any]) -> dict[str, str]:
    """What a run took over from one before it: node → the step that has run it there."""
    said = _resume(pipeline_spec)
    apart: Mapping[str, list[str]] = said.get("nodes") or {}
    whole = {step: step for step in said.get("steps") or () if step not in apart}
    return whole | {node: step for step, nodes in apart.items() for node in nodes}


def _resume(pipeline_spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the compiled pipeline says of the run that it goes on from; nothing where there is none."""
    return next((call.settings["resume"] for _, call, _ in _calls(pipeline_spec) if "resume" in call.settings), {})
