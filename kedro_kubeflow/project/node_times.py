"""How long nodes took, as runs on this machine have timed them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

# Where runs on this machine lie, and what each step leaves there.
_RUNS, _TIMES = Path(".kubeflow", "runs"), "times"
_LOOKED_AT = 10


@dataclass(frozen=True)
class Timed:
    """How long a node took.

    Attributes:
        seconds: from its first dataset's load to its last one's save.
        at: when its step had ended, in seconds since the epoch.
    """

    seconds: float
    at: float = 0.0


def read_node_times(project: Path, nodes: Collection[str]) -> dict[str, Timed]:
    """The time of each node, from the newest run on this machine that knows it.

    Args:
        project: the project's folder.
        nodes: those that matter; once all are known, no older run is looked at.
    """
    runs = project / _RUNS
    known: dict[str, Timed] = {}
    folders = sorted((f for f in runs.iterdir() if f.is_dir()), reverse=True) if runs.is_dir() else []
    for folder in folders[:_LOOKED_AT]:
        files = sorted((folder / _TIMES).glob("*.json"))
        known = {**newest(times_in(file.read_text("utf-8")) for file in files), **known}
        if set(nodes) <= known.keys():
            break
    return known


def newest(times: Iterable[Mapping[str, Timed]]) -> dict[str, Timed]:
    """Of each node, what was timed last."""
    found: dict[str, Timed] = {}
    for some in times:
        for node, timed in some.items():
            if node not in found or timed.at > found[node].at:
                found[node] = timed
    return found


def times_in(text: str) -> dict[str, Timed]:
    """The times that a step has left: ``{"end": seconds since the epoch, "nodes": {name: seconds}, …}``.

    Nothing where it is something else: a run that is going on writes it just now, or somebody ended it there.
    """
    try:
        said = json.loads(text)
        at = float(said.get("end") or 0)
        return {str(node): Timed(float(seconds), at) for node, seconds in (said.get("nodes") or {}).items()}
    except (ValueError, AttributeError, TypeError):
        return {}
