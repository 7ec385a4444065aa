"""The step's own catalog: only what its nodes need, with local data pointed at the artifacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kedro_kubeflow.contract import Artifact, StepCall
from kedro_kubeflow.entries import local_path, repoint
from kedro_kubeflow.errors import ProjectError
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.volume import Volume

Entry = Mapping[str, Any] | None


def step_catalog(entries: Mapping[str, Entry], call: StepCall, executor: Executor) -> dict[str, dict[str, Any]]:
    """The catalog configuration of a step: data on the run's volume stays there, the rest is pointed at artifacts.

    Args:
        entries: the project's own entry of each dataset that the step's nodes use, by the name that they use.
    """
    inputs, outputs = _by_dataset(call.inputs), _by_dataset(call.outputs)
    volume = Volume.of(call, executor)
    catalog: dict[str, dict[str, Any]] = {}
    for name, entry in entries.items():
        base = name.split("@", 1)[0]
        if base in inputs:
            path = data_path(executor.input_path(inputs[base].name), inputs[base])
            catalog[name] = _pointed(name, entry, inputs[base], path, call)
        elif base in outputs:
            artifact = outputs[base]
            if artifact.how == "memory" and not artifact.required and not in_processes(call):
                continue
            path = data_path(executor.output_path(artifact.name), artifact)
            catalog[name] = _pointed(name, entry, artifact, path, call)
        elif entry is not None:
            catalog[name] = volume.entry(entry) if volume else dict(entry)
    return catalog


def data_path(path: Path, artifact: Artifact) -> Path:
    """Where a dataset's data lies: in the artifact's folder under its own name, or the artifact itself."""
    return path / artifact.filename if artifact.filename else path


def in_processes(call: StepCall) -> bool:
    """Whether the step's nodes run in processes of their own: then nothing is in a memory that they share."""
    return len(call.nodes) > 1 and call.settings.get("runner") == "parallel"


def memory_entry(call: StepCall, path: Path) -> dict[str, Any]:
    """The entry that stores a dataset which is in memory only."""
    return {**call.settings.get("memory_dataset", {}), "filepath": path.as_posix()}


def _by_dataset(artifacts: Iterable[Artifact]) -> dict[str, Artifact]:
    return {c.dataset: c for c in artifacts if c.how in ("file", "memory")}


def _pointed(name: str, entry: Entry, artifact: Artifact, path: Path, call: StepCall) -> dict[str, Any]:
    if artifact.how == "memory":
        stored = memory_entry(call, path)
        if len(call.nodes) < 2 or in_processes(call):
            return stored
        # Inside a group the data stays in memory, for the nodes that follow in the same process.
        copied = {"copy_mode": entry["copy_mode"]} if entry and entry.get("copy_mode") else {}
        return {"type": "kedro.io.CachedDataset", "dataset": stored, **copied}
    if entry is None or local_path(entry) is None:
        raise ProjectError(
            f"The dataset {name!r} was a local file when the pipeline was compiled, and is not in this image",
            where="conf, catalog*.yml",
            cure="build the image from the code that the pipeline was compiled from",
        )
    return repoint(entry, path.as_posix())
