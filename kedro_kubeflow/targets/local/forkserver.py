"""``python -m kedro_kubeflow.targets.local.forkserver DESCRIPTOR``: a process that has imported what steps import.

Each step is a fork of it. It holds libraries and nothing else: not the project's own code, no connection, no thread. A step is
given what a new ``python -m kedro_kubeflow.runtime`` would have: environment, working folder, arguments, log, random state,
logging as it is before anybody has configured it. It talks to the worker in JSON lines over a socket:

- to it: ``{"preload": [module, …]}``, ``{"types": [dataset type, …]}``, ``{"fork": {…}}`` (see ``Step``);
- from it: ``{"importing": module}``, ``{"forked": id, "pid": …}``, ``{"running": id}``, ``{"ended": id, "status": …}``,
  ``{"unfit": module, "why": …}`` (from then on it forks no more), ``{"refused": id}``, ``{"idle": true}``.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib.machinery
import json
import os
import runpy
import select
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from kedro_kubeflow.targets.local import preload

# Threads that a fork leaves in order: OpenBLAS ends its own before, jemalloc starts its own anew.
_HARMLESS_THREADS = frozenset({"jemalloc_bg_thd"})
_LOGGING = "kedro.framework.project"


@dataclass(frozen=True)
class Step:
    """A step to become.

    Attributes:
        command: as it would be started: ``python -m MODULE …``.
        log: is appended to.
        imported: where to write the libraries' modules that the step has imported by itself.
        soon: whether the step needs no library of the project's, so that it starts before all of them are there.
    """

    id: int
    command: list[str]
    cwd: str
    environ: dict[str, str]
    log: str
    imported: str
    soon: bool = False


@dataclass(frozen=True)
class Wanted:
    """A module, or the module of a dataset type, that is to be imported; what is ours may speak."""

    name: str
    load: Callable[[str], None]
    ours: bool


@dataclass
class Server:
    """The server's whole state."""

    channel: socket.socket
    queue: deque[Wanted] = field(default_factory=deque)
    waiting: deque[Step] = field(default_factory=deque)
    children: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Descriptor of a process → step and process id."""
    buffer: bytes = b""
    told_idle: bool = True
    unfit: bool = False

    def serve(self) -> NoReturn:
        """Go on until the other end of the channel is gone."""
        while True:
            self._listen()
            self._fork_what_can_start()
            if self.queue:
                self._import_next()

    def say(self, **message: Any) -> None:
        """Tell the worker something."""
        self.channel.sendall(json.dumps(message).encode() + b"\n")

    def _listen(self) -> None:
        """Wait for something to happen; with something left to do, only look."""
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        for descriptor in self.children:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(0 if self.queue or self.waiting else None):
            if descriptor == self.channel.fileno():
                self._read()
            else:
                self._heard_of(descriptor)

    def _read(self) -> None:
        received = self.channel.recv(1 << 20)
        if not received:
            os._exit(0)
        *lines, self.buffer = (self.buffer + received).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "fork" in message:
                self.waiting.append(Step(**message["fork"]))
            ours = bool(message.get("ours"))
            self.queue += [Wanted(name, preload.import_module, ours) for name in message.get("preload", ())]
            self.queue += [Wanted(name, preload.import_type, False) for name in message.get("types", ())]
            self.told_idle = self.told_idle and "fork" in message

    def _heard_of(self, descriptor: int) -> None:
        step, pid = self.children.pop(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(pid, 0)
        self.say(ended=step, status=os.waitstatus_to_exitcode(status))

    def _fork_what_can_start(self) -> None:
        for _ in range(len(self.waiting)):
            step = self.waiting.popleft()
            if self.unfit:
                self.say(refused=step.id)
            elif self.queue and not (step.soon and not any(wanted.ours for wanted in self.queue)):
                self.waiting.append(step)
            else:
                self._fork(step)

    def _import_next(self) -> None:
        """Import one more library; if that makes the process unfit to be forked, nothing more."""
        wanted = self.queue.popleft()
        if wanted.name not in sys.modules and (why := self._import(wanted)):
            self.unfit = True
            self.queue.clear()
            self.say(unfit=wanted.name, why=why)
        elif not self.queue and not self.told_idle:
            preload.settle()
            gc.collect()
            gc.freeze()
            self.told_idle = True
            self.say(idle=True)

    def _import(self, wanted: Wanted) -> str | None:
        self.say(importing=wanted.name)
        spoken = _size_of_log()
        try:
            wanted.load(wanted.name)
        except BaseException as error:
            # A step that needs it will say so itself.
            return f"it cannot be imported: {type(error).__name__}: {error}"
        return unfit_to_fork(spoken_from=None if wanted.ours else spoken)

    def _fork(self, step: Step) -> None:
        wait, go = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(go)
                self._go_on_as(step, wait)
            finally:
                os._exit(1)
        os.close(wait)
        self.children[os.pidfd_open(pid)] = (step.id, pid)
        self.say(forked=step.id, pid=pid)
        os.write(go, b"1")
        os.close(go)

    def _go_on_as(self, step: Step, wait: int) -> None:
        """In the child: say that it runs, once the worker knows of it; without that nobody would wait for it."""
        if not os.read(wait, 1):
            return
        self.say(running=step.id)
        os.close(wait)
        self.channel.close()
        for descriptor in self.children:
            os.close(descriptor)
        become(step)


def become(step: Step) -> None:
    """Turn this fork into the step's process, and end as it would."""
    _redirect(step.log)
    os.chdir(step.cwd)
    os.environ.clear()
    os.environ.update(step.environ)
    with contextlib.suppress(AttributeError):
        time.tzset()
    sys.path[:] = [step.cwd, *_extra_path(), *_PATH]
    sys.argv = step.command[2:]
    sys.orig_argv = list(step.command)
    gc.enable()
    _renew_random_state()
    _configure_logging_when_asked_for()
    before = set(sys.modules)
    # What is registered first runs last.
    atexit.register(lambda: preload.write_imported(step.imported, before))
    ending = importlib.import_module("kedro_kubeflow.runtime.ending")
    ending.end_process(lambda: _run_as_main(step.command))


def _extra_path() -> list[str]:
    """Where Python looks for modules because of the environment."""
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _run_as_main(command: list[str]) -> None:
    module = command[command.index("-m") + 1]
    sys.argv = command[command.index("-m") + 1 :]
    # The annotations are what `python -m` gives it besides.
    runpy.run_module(module, init_globals={"__annotations__": {}}, run_name="__main__", alter_sys=True)


def _redirect(log: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for descriptor, target in ((nothing, 0), (file, 1), (file, 2)):
        os.dup2(descriptor, target)
    os.close(nothing)
    os.close(file)


def _renew_random_state() -> None:
    """What a new process draws from the system; Python's own generator does it by itself."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def _configure_logging_when_asked_for() -> None:
    """Let Kedro configure logging when the step imports it first, as that is done by the import."""
    module = sys.modules.pop(_LOGGING, None)
    if module is not None:
        sys.meta_path.insert(0, _Again(module))


class _Again:
    """Finds a module that is there already, and does what its import does to the process."""

    def __init__(self, module: Any) -> None:
        self._module, self._spec = module, module.__spec__

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        if name != _LOGGING:
            return None
        sys.meta_path.remove(self)
        return importlib.machinery.ModuleSpec(name, self, origin=self._spec.origin)  # type: ignore[arg-type]

    def create_module(self, _spec: Any) -> Any:
        return self._module

    def exec_module(self, module: Any) -> None:
        module.__spec__, module.__loader__ = self._spec, self._spec.loader
        module.LOGGING.__init__()


def unfit_to_fork(*, spoken_from: int | None) -> str | None:
    """Why this process must not be forked any more; None where it may.

    Args:
        spoken_from: the length of the log before; what has come since would be missing in the steps' logs.
    """
    if threading.active_count() > 1:
        return "it starts a thread when it is imported"
    held = _held()
    if held:
        return f"it holds {held} when it is imported"
    if _native_threads() and _threads_after_a_fork():
        return "it starts threads when it is imported"
    if spoken_from is not None and _size_of_log() > spoken_from:
        return "it prints or warns when it is imported"
    return None


def _native_threads() -> int:
    return sum(1 for name in _thread_names() if name not in _HARMLESS_THREADS) - 1


def _thread_names() -> list[str]:
    names = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            names.append((task / "comm").read_text("utf-8").strip())
    return names


def _threads_after_a_fork() -> bool:
    """Whether threads are still there after a fork: libraries that survive one end theirs before it."""
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return _native_threads() > 0


# As the server was started: its open files, and where Python looks for modules.
_OWN: set[str] = set()
_PATH: list[str] = []


def _descriptors() -> dict[str, str]:
    found = {}
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found[descriptor.name] = str(descriptor.readlink())
    return found


def _held() -> str | None:
    """What no two processes may share, and was opened since the server started."""
    for name, target in _descriptors().items():
        if name in _OWN:
            continue
        if target.startswith("socket:"):
            return "a connection"
        if target.startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri")):
            return "a graphics card"
        if "eventpoll" in target:
            return "an event loop"
    return None


def _size_of_log() -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    return os.fstat(2).st_size


def main(descriptor: int) -> NoReturn:
    """Serve over a socket that was inherited."""
    channel = socket.socket(fileno=descriptor)
    os.set_inheritable(descriptor, False)
    _OWN.update(_descriptors())
    # `python -m` has put the working folder in front; a step does it with its own.
    project = sys.path.pop(0)
    _PATH.extend(sys.path[len(_extra_path()) :])
    preload.prepare_process(project)
    gc.disable()
    Server(channel).serve()


if __name__ == "__main__":
    # Under its own name, as the steps' `__main__` is another.
    from kedro_kubeflow.targets.local import forkserver

    forkserver.main(int(sys.argv[1]))
