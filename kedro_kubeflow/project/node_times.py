"""How long nodes took, as runs on this machine have timed them."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

# Where runs on this machine lie, and what each step leaves there: {"nodes": {name: seconds}, …}.
_RUNS, _TIMES = Path(".kubeflow", "runs"), "times"
_LOOKED_AT = 10


def read_node_times(project: Path, nodes: Collection[str]) -> dict[str, float]:
    """Seconds of each node, from the newest run that knows it.

    Args:
        project: the project's folder.
        nodes: those that matter; once all are known, no older run is looked at.
    """
    runs = project / _RUNS
    known: dict[str, float] = {}
    folders = sorted((f for f in runs.iterdir() if f.is_dir()), reverse=True) if runs.is_dir() else []
    for folder in folders[:_LOOKED_AT]:
        for file in sorted((folder / _TIMES).glob("*.json")):
            known = {**_seconds(file), **known}
        if set(nodes) <= known.keys():
            break
    return known


def _seconds(file: Path) -> dict[str, float]:
    try:
        nodes = json.loads(file.read_text("utf-8")).get("nodes") or {}
    except (ValueError, AttributeError):
        # A run that is going on writes it just now, or somebody ended it there.
        return {}
    return {str(name): float(seconds) for name, seconds in nodes.items()}
