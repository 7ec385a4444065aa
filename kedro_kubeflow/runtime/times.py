"""When a step did what: the seconds of its nodes, and what it spent before and after them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from kedro_kubeflow.contract import ATTEMPT_ENV, LOCAL_ENV

# What an MLflow tag may hold; see tracking.tags.
_MAX = 5_000
FOLDER = "times"


class Times:
    """The times of one step; its nodes may run in several threads."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, float]] = {}

    def see(self, node: str) -> None:
        """Something happens at a node: a dataset is loaded or saved, or it runs."""
        now = time.time()
        self._seen[node] = (self._seen.get(node, (now, now))[0], now)

    def facts(self) -> dict[str, Any]:
        """``process``, ``begin`` and ``end`` in seconds since the epoch, and the seconds of each of ``nodes``."""
        spans = dict(self._seen)
        begin = min((first for first, _ in spans.values()), default=None)
        nodes = {node: round(last - first, 2) for node, (first, last) in spans.items()}
        facts = {"process": round(process_start(), 2), "begin": begin and round(begin, 2), "end": round(time.time(), 2)}
        return {**{key: value for key, value in facts.items() if value}, "nodes": nodes}

    def text(self) -> str:
        """The same as JSON; of very many nodes, those that took longest."""
        facts = self.facts()
        by_length = sorted(facts["nodes"].items(), key=lambda item: -item[1])
        while len(text := json.dumps({**facts, "nodes": dict(by_length)}, separators=(",", ":"))) > _MAX:
            by_length = by_length[: len(by_length) * 9 // 10]
        return text

    def note(self, key: str) -> None:
        """Leave them with a run on this machine.

        Args:
            key: the step's name as a file may be called.
        """
        folder = os.environ.get(LOCAL_ENV)
        if folder and Path(folder).is_dir():
            file = Path(folder, FOLDER, f"{key}.json")
            file.parent.mkdir(exist_ok=True)
            file.write_text(json.dumps(self.facts()), "utf-8")


def process_start() -> float:
    """When this process began, in seconds since the epoch; on other systems than Linux, when it is asked first."""
    global _start
    if _start is None:
        _start = _from_proc() or time.time()
    return _start


_start: float | None = None


def _from_proc() -> float | None:
    """None where it is another attempt's beginning.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the 22nd field, in ticks since the machine began.
    """
    if ATTEMPT_ENV in os.environ:
        return None
    try:
        fields = Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()
        since = time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return None
    return time.time() - since
