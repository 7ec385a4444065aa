"""How a step becomes a process of this machine: started anew, or forked from a process that has imported its libraries."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from kedro_kubeflow.targets.local.preload import Learned

# Steps go on as plain processes when a fork does not run, or the server says nothing, for so long: in seconds.
FORK_PATIENCE, IMPORT_PATIENCE = 60.0, 120.0
# Servers started one after another, each without what made the one before unfit.
_MOST_SERVERS = 3
_FORKSERVER = "kedro_kubeflow.targets.local.forkserver"


@dataclass(frozen=True)
class Start:
    """A process that is to be started.

    Attributes:
        command: ``python -m MODULE …``; Python itself is this interpreter.
        soon: whether it uses no library of the project's.
        imported: where a fork writes what it has imported by itself.
    """

    command: Sequence[str]
    cwd: Path
    environ: Mapping[str, str]
    log: Path
    soon: bool = False
    imported: Path | None = None


@dataclass(frozen=True)
class Ended:
    """A process that has ended.

    Attributes:
        code: its exit code, negative for a signal.
        began: when it began, in seconds since the epoch.
        seconds: how long it took.
    """

    code: int
    began: float
    seconds: float


class Processes(Protocol):
    """A way to start processes."""

    def run(self, start: Start) -> Ended:
        """Run a process to its end."""


class NotForkedError(Exception):
    """The process did not start as a fork, and is to be started anew."""


class NewProcesses:
    """Each process is a new interpreter."""

    def run(self, start: Start) -> Ended:
        """Start it and wait."""
        began, since = time.time(), time.monotonic()
        with start.log.open("a", encoding="utf-8") as log:
            done = subprocess.run(
                list(start.command),
                cwd=start.cwd,
                env=dict(start.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        return Ended(done.returncode, began, time.monotonic() - since)


def can_fork() -> bool:
    """Whether this platform has a safe fork that can be waited for: Linux, since 5.3."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open") and hasattr(os, "memfd_create") and _has_pidfd()


def _has_pidfd() -> bool:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError:
        return False
    return True


class Forks:
    """Each process is a fork of one that has imported its libraries; where that does not go well, a new one.

    There is one server for one environment, as libraries may look at it when they are imported.
    """

    def __init__(self, environ: Mapping[str, str], project: Path, learned: Learned) -> None:
        """Start the first server.

        Args:
            environ: what most steps will have; steps with further variables are new processes.
            project: the project's folder.
        """
        self.environ, self._project, self._learned = dict(environ), project, learned
        # What libraries say when they are imported; no file, as there is no run to which it would belong yet.
        self._log = os.memfd_create("imports")
        self._wanted: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._new = NewProcesses()
        self._servers: list[_Server] = []
        self._server: _Server | None = None
        become_reaper()
        self._start_server()

    def preload(self, **wanted: Any) -> None:
        """Let the server import more: ``preload`` (modules) or ``types`` (of datasets); ``ours`` for what may speak."""
        with self._lock:
            self._wanted.append(wanted)
            if self._server:
                self._server.send(self._fit(wanted))

    def run(self, start: Start) -> Ended:
        """Fork it and wait; start it anew where that cannot be.

        Where ``start.imported`` is given, a fork writes there what it has imported by itself.
        """
        server = self._server
        if server is None or start.command[1] != "-m" or not self.suits(start.environ):
            return self._new.run(start)
        try:
            return server.run(start)
        except NotForkedError:
            self._replace(server)
            return self._new.run(start)

    @property
    def unfit(self) -> dict[str, str]:
        """What is not imported before the fork, and why."""
        return self._learned.unfit

    def close(self) -> str:
        """End the servers; gives what was said while they imported."""
        for server in self._servers:
            server.close()
        said = os.pread(self._log, 1 << 20, 0).decode("utf-8", "replace")
        os.close(self._log)
        return said

    def suits(self, environ: Mapping[str, str]) -> bool:
        """Whether a fork may have this environment: libraries may look at theirs when they are imported."""
        return _seen_by_libraries(environ) == _seen_by_libraries(self.environ)

    def _replace(self, server: _Server) -> None:
        """Leave out what has made a server unfit, and try once more with another."""
        with self._lock:
            if server is not self._server:
                return
            self._server = None
            name = server.unfit or server.importing
            if name:
                self._learned.unfit[name] = server.why or "it takes too long to be imported"
            if server.unfit and len(self._servers) < _MOST_SERVERS:
                self._start_server()

    def _start_server(self) -> None:
        self._server = _Server(self.environ, self._project, self._log, on_unfit=self._replace)
        self._servers.append(self._server)
        for wanted in self._wanted:
            self._server.send(self._fit(wanted))

    def _fit(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        return {k: [n for n in v if self._learned.is_fit(n)] if isinstance(v, list) else v for k, v in wanted.items()}


def _seen_by_libraries(environ: Mapping[str, str]) -> dict[str, str]:
    """What of an environment libraries may see when they are imported.

    Not what is Kedro's and ours, not where Python looks for modules, which a fork is given anew, and not what MLflow sets when it
    is imported.
    """
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(("KEDRO_", "_MLFLOW_TELEMETRY_")) and name != "PYTHONPATH"
    }


@dataclass
class _Running:
    """A step that was handed to a server."""

    pid: int | None = None
    running: bool = False
    refused: bool = False
    status: int | None = None
    since: float = field(default_factory=time.monotonic)
    began: float = field(default_factory=time.time)
    until: float = 0.0


class _Server:
    """The worker's end of one fork server.

    Attributes:
        importing: what it imports now.
        unfit: the module because of which it forks no more, and why.
    """

    def __init__(self, environ: Mapping[str, str], cwd: Path, log: int, *, on_unfit: Callable[[_Server], None]) -> None:
        ours, theirs = socket.socketpair()
        self.importing: str | None = None
        self.unfit: str | None = None
        self.why: str | None = None
        self._on_unfit = on_unfit
        self._channel, self._gone, self._heard = ours, False, time.monotonic()
        self._steps: dict[int, _Running] = {}
        self._changed = threading.Condition()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", _FORKSERVER, str(theirs.fileno())],
                cwd=cwd,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
            )
        threading.Thread(target=self._listen, daemon=True).start()

    def send(self, message: Mapping[str, Any]) -> None:
        """Tell it something; one that is gone is found out by listening."""
        with contextlib.suppress(OSError), self._changed:
            self._channel.sendall(json.dumps(message).encode() + b"\n")

    def run(self, start: Start) -> Ended:
        """Have a step forked, and wait for its end.

        Raises:
            NotForkedError: it did not run.
        """
        step, key = self._hand_over(start)
        try:
            with self._changed:
                while step.status is None and not (self._gone and step.pid):
                    self._look_after(step)
                    self._changed.wait(1.0)
        finally:
            del self._steps[key]
        if step.status is None and step.pid:
            step.status, step.until = wait_for_orphan(step.pid), time.monotonic()
        return Ended(step.status or 0, step.began, step.until - step.since)

    def _hand_over(self, start: Start) -> tuple[_Running, int]:
        with self._changed:
            if self._gone or self.unfit:
                raise NotForkedError
            key, step = next(_COUNT), _Running()
            self._steps[key] = step
        request = {
            "id": key,
            "command": [str(word) for word in start.command],
            "cwd": str(start.cwd),
            "environ": dict(start.environ),
            "log": str(start.log),
            "imported": str(start.imported or os.devnull),
            "soon": start.soon,
        }
        self.send({"fork": request})
        return step, key

    def _look_after(self, step: _Running) -> None:
        """Find out that a step will not run."""
        waited = time.monotonic() - max(step.since, self._heard)
        if step.refused or (step.pid is None and (self._gone or waited > IMPORT_PATIENCE)):
            self._kill_server()
            raise NotForkedError
        if step.pid and not step.running and time.monotonic() - step.since > FORK_PATIENCE:
            # It stands still before its first line: whatever is in the way, nothing more must be forked here.
            with contextlib.suppress(ProcessLookupError):
                os.kill(step.pid, signal.SIGKILL)
            raise NotForkedError

    def _kill_server(self) -> None:
        """Only where it forks nothing more: one that hangs."""
        if not self._gone and not self.unfit:
            self._process.kill()

    def _listen(self) -> None:
        with contextlib.suppress(OSError), self._channel.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                self._take(json.loads(line))
        with self._changed:
            self._gone = True
            self._changed.notify_all()

    def _take(self, message: Mapping[str, Any]) -> None:
        with self._changed:
            self._heard = time.monotonic()
            if "importing" in message:
                self.importing = message["importing"]
            elif "idle" in message:
                self.importing = None
            elif "unfit" in message:
                self.unfit, self.why = message["unfit"], message["why"]
            else:
                self._take_of_step(message)
            self._changed.notify_all()
        if "unfit" in message:
            self._on_unfit(self)

    def _take_of_step(self, message: Mapping[str, Any]) -> None:
        word = next(word for word in ("forked", "running", "refused", "ended") if word in message)
        step = self._steps.get(message[word])
        if step is None:
            return
        if word == "forked":
            step.pid, step.since, step.began = message["pid"], time.monotonic(), time.time()
        elif word == "ended":
            step.status, step.until = message["status"], time.monotonic()
        else:
            setattr(step, word, True)

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)
        self._process.kill()
        self._process.wait()


def _counting() -> Any:
    number = 0
    while True:
        number += 1
        yield number


_COUNT = _counting()


def become_reaper() -> None:
    """Let processes whose parent dies become this one's, so that steps outlive a server that was killed.

    https://man7.org/linux/man-pages/man2/PR_SET_CHILD_SUBREAPER.2const.html
    """
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def wait_for_orphan(pid: int) -> int:
    """The exit code of a step whose server is gone; that of a kill where nobody can say."""
    while True:
        try:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        except ChildProcessError:
            # The server has closed its files, and is still on its way to leave its children behind.
            if not Path(f"/proc/{pid}").exists():
                return -signal.SIGKILL
            time.sleep(0.02)
