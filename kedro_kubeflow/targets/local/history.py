"""What local runs leave behind: one folder in the project, ignored by git by itself, of bounded size."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

FOLDER, RUNS = ".kubeflow", "runs"
_LOCK = "running.lock"


def home(project: Path) -> Path:
    """Everything that local runs leave behind in a project, made if it is not there."""
    root = project / FOLDER
    root.mkdir(exist_ok=True)
    ignore = root / ".gitignore"
    if not ignore.exists():
        ignore.write_text("# What runs on this machine leave behind.\n*\n", "utf-8")
    return root


def runs_folder(project: Path) -> Path:
    """Where the runs of a project lie, made if it is not there."""
    runs = home(project) / RUNS
    runs.mkdir(exist_ok=True)
    return runs


@contextmanager
def new_run(project: Path) -> Iterator[Path]:
    """A new run's folder, locked while the block runs so that nobody clears it away; its name is the run's id."""
    runs = runs_folder(project)
    while True:
        folder = runs / f"local-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            break
    with (folder / _LOCK).open("w") as lock:
        _try_lock(lock)
        yield folder


def prune(project: Path, *, keep: int, max_bytes: int) -> list[Path]:
    """Remove the oldest runs beyond a number or a total size; the latest stays, and what is running.

    Returns:
        The folders that were removed.
    """
    finished = sorted((p for p in runs_folder(project).iterdir() if p.is_dir()), key=lambda p: p.name, reverse=True)
    removed, total = [], 0
    for index, folder in enumerate(finished):
        total += _size(folder)
        if index > 0 and (index >= keep or total > max_bytes) and not is_running(folder):
            shutil.rmtree(folder)
            removed.append(folder)
    return removed


def _size(folder: Path) -> int:
    return sum(os.lstat(Path(root) / name).st_size for root, _, files in os.walk(folder) for name in files)


def is_running(folder: Path) -> bool:
    """Whether the command that started a run is still there."""
    lock = folder / _LOCK
    if not lock.exists():
        return False
    with lock.open("a") as handle:
        return not _try_lock(handle)


def _try_lock(handle: IO[str]) -> bool:
    """Lock a file until it is closed; False where another process holds it."""
    try:
        import fcntl
    except ImportError:  # Windows has no such locks; there, two runs at once must not both clear up.
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
