"""A step in a folder of its own, as a pod would have it: a copy of what the image holds, and its own input artifacts, no more."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Pod:
    """Where a step works, and the command that it is started with."""

    project: Path
    command: list[str]


@contextmanager
def pod(image: Path, artifacts: Path, folder: Path, command: Sequence[str]) -> Iterator[Pod]:
    """Make the folder for one step and take its outputs out of it; afterwards it is gone.

    Args:
        image: what every step starts with.
        artifacts: where the run keeps its artifacts; the command's last word is an executor input that speaks of them.
        folder: where to make it.
    """
    project, own = folder / "project", folder / "artifacts"
    message = json.loads(command[-1])
    try:
        shutil.copytree(image, project, symlinks=True)
        for uri in _uris(message.get("inputs")):
            # What was imported, such as an earlier run's, lies elsewhere and is read there.
            if uri.is_relative_to(artifacts):
                _copy(uri, _moved(uri, artifacts, own))
        text = command[-1].replace(_text(artifacts), _text(own))
        yield Pod(project, [*command[:-1], text])
        _give_back(own, artifacts, message.get("outputs") or {})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give_back(own: Path, artifacts: Path, outputs: dict[str, Any]) -> None:
    """Put what the step has made where the next ones are given it from."""
    for uri in _uris(outputs):
        made = _moved(uri, artifacts, own)
        if made.exists():
            uri.parent.mkdir(parents=True, exist_ok=True)
            made.rename(uri)
            _without_empty_folders(uri)
    said = Path(str(outputs.get("outputFile") or ""))
    made = _moved(said, artifacts, own)
    if said.name and made.is_file():
        said.parent.mkdir(parents=True, exist_ok=True)
        said.write_text(made.read_text("utf-8").replace(_text(own), _text(artifacts)), "utf-8")


def _without_empty_folders(folder: Path) -> None:
    """As an object store would keep it."""
    for inner, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # It holds something.
            Path(inner).rmdir()


def _uris(side: dict[str, Any] | None) -> list[Path]:
    lists = ((side or {}).get("artifacts") or {}).values()
    return [Path(artifact["uri"]) for some in lists for artifact in some.get("artifacts", ()) if artifact.get("uri")]


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    elif source.exists():
        shutil.copy2(source, target)


def _moved(path: Path, here: Path, there: Path) -> Path:
    return there / path.relative_to(here) if path.is_relative_to(here) else path


def _text(path: Path) -> str:
    """A path as it stands inside JSON text."""
    return json.dumps(str(path))[1:-1]
