"""The end that a pod is told by a signal, told apart from an end that code chooses by ``sys.exit``."""

from __future__ import annotations

import signal
from types import FrameType

TERMINATED = 128 + signal.SIGTERM


class Terminated(SystemExit):
    """The process was told to end: Kubernetes sends SIGTERM some time before it kills."""


def listen() -> None:
    """Turn SIGTERM into an exception, so that the step can still say in MLflow that it was terminated."""
    signal.signal(signal.SIGTERM, _raise)


def is_termination(error: BaseException) -> bool:
    """Whether somebody from outside has ended the step."""
    return isinstance(error, Terminated | KeyboardInterrupt)


def _raise(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated(TERMINATED)
