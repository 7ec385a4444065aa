"""The end that a pod is told by a signal, told apart from an end that code chooses by ``sys.exit``.

Kubeflow's launcher dies of the signal at once, and the container with it some 0.2 s later. A node in the middle of a long
computation notices nothing by then; so what must still be said is said by a thread that the signal wakes.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

TERMINATED = 128 + signal.SIGTERM


class Terminated(SystemExit):
    """The process was told to end: Kubernetes sends SIGTERM some time before it kills."""


_NAME = "kedro-kubeflow-last-words"
_last_words: Callable[[], None] | None = None


def listen() -> None:
    """Turn SIGTERM into an exception, so that the step ends as if its code had raised one."""
    signal.signal(signal.SIGTERM, _raise)


def at_termination(last_words: Callable[[], None] | None) -> None:
    """What is called, in a thread of its own, as soon as SIGTERM arrives; None is nothing."""
    global _last_words
    _last_words = last_words
    if last_words is None or any(thread.name == _NAME for thread in threading.enumerate()):
        return
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=_await, args=(heard,), name=_NAME, daemon=True).start()
    # A node's own processes share the pipe; what they are told is none of this process's.
    os.register_at_fork(after_in_child=_forget)


def is_termination(error: BaseException) -> bool:
    """Whether somebody from outside has ended the step."""
    return isinstance(error, Terminated | KeyboardInterrupt)


def _await(heard: int) -> None:
    while signals := os.read(heard, 64):
        if signal.SIGTERM in signals and _last_words is not None:
            _last_words()
            return


def _forget() -> None:
    # Another thread than the main one may have forked, and then it is none in the child either.
    with suppress(ValueError):
        signal.set_wakeup_fd(-1)
    at_termination(None)


def _raise(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated(TERMINATED)
