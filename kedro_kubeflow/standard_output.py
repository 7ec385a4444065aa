"""Standard output for a command's result alone: what Kedro, plugins and a project print meanwhile goes to standard error."""

from __future__ import annotations

import os
import sys
from typing import TextIO

_kept: TextIO | None = None


def keep() -> None:
    """Keep the process's standard output for the result; from now on everything else goes to standard error.

    Nothing happens where somebody has put something in the place of standard output, as tests do, or where there is none.
    """
    global _kept
    out = sys.__stdout__
    if _kept is not None or out is None or sys.stdout is not out:
        return
    try:
        out.flush()
        own = os.dup(1)
        os.dup2(2, 1)
    except (OSError, ValueError):
        return
    _kept = os.fdopen(own, "w", encoding=out.encoding, errors=out.errors, buffering=1)
    sys.stdout = sys.stderr


def give_back() -> None:
    """Let what is printed be the result again, if it was kept; what goes past Python stays on standard error."""
    if _kept is not None:
        sys.stdout = _kept
