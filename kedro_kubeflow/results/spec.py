"""The artifacts that a compiled pipeline promises, read from its own steps' calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kedro_kubeflow.contract import Artifact, StepCall, runtime_arguments
from kedro_kubeflow.results.artifact import RunArtifact

# What steps make beside their datasets is no dataset: pictures, numbers, the way to the MLflow run.
STORED = ("file", "copy", "memory")


def artifacts_of(pipeline_spec: Mapping[str, Any]) -> list[RunArtifact]:
    """Every dataset that a run of the pipeline stores, in the order of the steps; where each will lie is not known yet.

    Args:
        pipeline_spec: KFP's IR, as JSON; tasks that are no steps of ours are passed over.
    """
    return [artifact for call, types in _calls(pipeline_spec) for artifact in _outputs(call, types)]


def _outputs(call: StepCall, types: Mapping[str, str]) -> Iterator[RunArtifact]:
    for output in call.outputs:
        if output.how in STORED:
            yield made_by(call, output, types.get(output.name, "Artifact"))


def made_by(call: StepCall, output: Artifact, kind: str, uri: str = "") -> RunArtifact:
    """One output of a call."""
    return RunArtifact(
        dataset=output.dataset, step=call.step, type=kind, uri=uri, filename=output.filename, how=output.how
    )


def _calls(spec: Mapping[str, Any]) -> Iterator[tuple[StepCall, dict[str, str]]]:
    executors = (spec.get("deploymentSpec") or {}).get("executors") or {}
    for component in (spec.get("components") or {}).values():
        container = (executors.get(component.get("executorLabel", "")) or {}).get("container") or {}
        try:
            call, _ = StepCall.from_argv(runtime_arguments([*container.get("command", ()), *container.get("args", ())]))
        except ValueError:
            continue
        if call.action == "run":
            defined = (component.get("outputDefinitions") or {}).get("artifacts") or {}
            yield call, {n: _kind(d) for n, d in defined.items()}


def _kind(definition: Mapping[str, Any]) -> str:
    return str((definition.get("artifactType") or {}).get("schemaTitle", "system.Artifact")).removeprefix("system.")
