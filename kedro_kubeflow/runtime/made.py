"""What a step has made, said where people and programs find it: KFP's API tells no artifact's address."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.results.artifact import RunArtifact, line_of
from kedro_kubeflow.results.spec import STORED, made_by
from kedro_kubeflow.runtime.executor import Executor


def artifacts_made(call: StepCall, executor: Executor) -> list[RunArtifact]:
    """The datasets that the step has stored; those that could not be, and are not needed, left out."""
    made: list[RunArtifact] = []
    for output in call.outputs:
        if output.how in STORED and executor.output_path(output.name).exists():
            kind = executor.output_type(output.name).removeprefix("system.")
            artifact = made_by(call, output, kind, executor.output_uri(output.name))
            made.append(replace(artifact, size=_size(executor.output_path(output.name) / output.filename)))
    return made


def _size(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    files = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
    return path.stat().st_size if path.is_file() else sum(file.stat().st_size for file in files)


def say_what_was_made(call: StepCall, executor: Executor) -> None:
    """Write the last lines of the step's log."""
    for artifact in artifacts_made(call, executor):
        print(line_of(artifact), flush=True)
