"""Entry points of installed packages, read once in a step's process: Kedro and MLflow ask for them a dozen times.

Each time, Python reads the metadata of every package that is installed
(https://docs.python.org/3/library/importlib.metadata.html#entry-points).
"""

from __future__ import annotations

import functools
import importlib.metadata
from typing import Any


def read_once() -> None:
    """Let this process read them once, when somebody asks for a group or a name of them; what is installed later is not seen."""
    original = importlib.metadata.entry_points
    if hasattr(original, "__wrapped__"):
        return
    found: list[Any] = []

    @functools.wraps(original)
    def entry_points(**wanted: Any) -> Any:
        if not wanted:
            return original()
        if not found:
            found.append(original())
        return found[0].select(**wanted)

    importlib.metadata.entry_points = entry_points


def read_now() -> None:
    """Read them, for the forks of this process."""
    importlib.metadata.entry_points(group="kedro.hooks")
