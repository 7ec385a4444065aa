"""The git commit that a project is at, for the records of the server."""

from __future__ import annotations

import subprocess
from pathlib import Path

_SECONDS = 10


def git_commit(project: Path) -> str | None:
    """The commit of a project's folder, with ``-dirty`` where files differ from it; None where there is no git."""
    commit = _git(project, "rev-parse", "HEAD")
    if not commit:
        return None
    changed = _git(project, "status", "--porcelain", "--untracked-files=no", "--", ".")
    return f"{commit}-dirty" if changed else commit


def _git(project: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *words], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        # No git, or one that hangs: a record less, and no reason to fail.
        return None
    return done.stdout.strip() if done.returncode == 0 else None
