"""What git holds of a folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git_files(folder: Path) -> frozenset[str] | None:
    """What git has or would take; None where the folder is in no repository, or there is no git."""
    command = ["git", "-C", str(folder), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return frozenset(os.fsdecode(name) for name in done.stdout.split(b"\0") if name)
