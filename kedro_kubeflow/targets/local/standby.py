"""A worker's process before there is anything to run, so that it imports what it needs while the pipeline is compiled.

``begin`` may be called as soon as it is known what the command is; whoever runs a pipeline then takes what was begun.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

LOG = "kfp.log"
"""In a run's folder: what the worker and kfp.local have said."""
_WORKER = "kedro_kubeflow.targets.local.worker"
_GRACE_SECONDS = 10
_begun: Standby | None = None


class Standby:
    """A worker's process; it leads a process group of its own, and ends when this process does."""

    def __init__(self, project: Path, command: Sequence[str]) -> None:
        """Start it.

        Args:
            command: the command line, by which the worker knows again what its steps import.
        """
        self.project = project
        self._folder: Path | None = None
        # No file of a run yet, and nothing for the terminal.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed with the process
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [sys.executable, "-m", _WORKER, str(project), " ".join(command)],
            cwd=project,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            start_new_session=True,
        )

    def run(self, folder: Path) -> subprocess.Popen[str]:
        """Let it run the request in a folder, with this process's environment as it is now."""
        self._folder = folder
        # Not by a file: an environment may hold secrets.
        told = {"folder": str(folder), "environ": dict(os.environ)}
        if self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(json.dumps(told) + "\n")
                self.process.stdin.flush()
        return self.process

    def end(self) -> None:
        """End its whole process group, whatever that takes."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_GRACE_SECONDS)
                if not _group_lives(self.process.pid):
                    break
        if self._folder and not (self._folder / LOG).exists():
            # It has ended before it had heard of the run.
            (self._folder / LOG).write_bytes(os.pread(self._said.fileno(), 1 << 20, 0))
        for pipe in (self.process.stdin, self.process.stdout, self._said):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def begin(project: Path, command: Sequence[str]) -> None:
    """Start a worker, if none was."""
    global _begun
    if _begun is None:
        _begun = Standby(project, command)


def take(project: Path, command: Sequence[str]) -> Standby:
    """The worker that was begun for this project, or a new one."""
    global _begun
    begun, _begun = _begun, None
    if begun is not None and begun.project == project and begun.process.poll() is None:
        return begun
    if begun is not None:
        begun.end()
    return Standby(project, command)


def give_up() -> None:
    """End what was begun and not taken."""
    global _begun
    begun, _begun = _begun, None
    if begun is not None:
        begun.end()


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
