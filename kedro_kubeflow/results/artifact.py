"""An artifact of a run, and the line by which a step's log tells of it.

KFP's API says of no artifact where it lies; so each step says it, on the MLflow run and in the last lines of its log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

_LINE = "kedro-kubeflow: artifact "
_FIELDS = ("dataset", "step", "type", "uri", "filename", "size")
_TOLD = ("step", "type", "uri", "filename", "how")


class Place(NamedTuple):
    """Where an artifact lies, and how many bytes it has, where that is said."""

    uri: str
    size: int | None = None


@dataclass(frozen=True, kw_only=True)
class RunArtifact:
    """A dataset that a step of a run has stored.

    Attributes:
        dataset: the Kedro dataset.
        step: the step that made it, as people see it.
        type: KFP's type of artifact, such as ``Dataset`` or ``Model``.
        uri: where it lies; empty where nobody has said it.
        filename: what its data is called inside of the artifact; empty where the artifact is the file itself.
        how: ``memory`` where the dataset has no file of its own and was stored by ``run_config.memory_dataset``.
        size: bytes, where the step or the store says it.
        task, name: the task and the artifact, as KFP calls them.
        run: the earlier run that made it, where this one has taken it over.
    """

    dataset: str
    step: str
    type: str
    uri: str = ""
    filename: str = ""
    how: str = "file"
    size: int | None = None
    task: str = ""
    name: str = ""
    run: str = ""

    @property
    def data_uri(self) -> str:
        """Where the data itself lies; empty where nobody has said it."""
        return f"{self.uri}/{self.filename}" if self.filename and self.uri else self.uri

    def is_at(self, uri: str) -> bool:
        """Whether a URI is one that KFP would give it: `…/<task>/<uuid>/<artifact>`."""
        parts = uri.rstrip("/").split("/")
        return len(parts) > 3 and (parts[-3], parts[-1]) == (self.task, self.name)

    def at(self, uri: str) -> RunArtifact:
        """The same, lying there."""
        return replace(self, uri=uri)

    def told(self) -> dict[str, str]:
        """What is said of it where a run takes it over; read back by `taken_over`."""
        return {name: value for name in _TOLD if (value := getattr(self, name))}


def taken_over(dataset: str, told: Mapping[str, str], run: str) -> RunArtifact:
    """An artifact that a run has taken over from an earlier one."""
    known: dict[str, Any] = {"step": "", "type": "Artifact", **told}
    return RunArtifact(dataset=dataset, run=run, **known)


def line_of(artifact: RunArtifact) -> str:
    """The line of a step's log."""
    said = {name: getattr(artifact, name) for name in _FIELDS if getattr(artifact, name)}
    return _LINE + json.dumps(said, ensure_ascii=True)


def uris_in_log(text: str) -> Iterator[tuple[str, str]]:
    """Dataset and URI of each artifact that a log tells of."""
    for told in told_in_log(text):
        yield told.dataset, told.uri


def told_in_log(text: str) -> Iterator[RunArtifact]:
    """The artifacts that a log tells of; what looks alike and is none of ours is passed over."""
    for match in re.finditer(rf"^.*?{re.escape(_LINE)}(\{{.*\}})\s*$", text, re.MULTILINE):
        try:
            said = json.loads(match.group(1))
        except ValueError:
            continue
        if _is_ours(said):
            yield RunArtifact(**{"step": "", "type": "", **{name: said[name] for name in _FIELDS if name in said}})


def _is_ours(said: Any) -> bool:
    if not isinstance(said, dict) or not isinstance(said.get("size", 0), int):
        return False
    texts = [said.get(name, "") for name in _FIELDS if name != "size"]
    return all(isinstance(text, str) for text in texts) and bool(said.get("dataset")) and bool(said.get("uri"))
