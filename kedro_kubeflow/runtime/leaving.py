"""Code that ends the step's process: with 0, Kubeflow would take a step for done that has made none of its outputs."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NoReturn


class Left(SystemExit):
    """``os._exit`` was called where ``sys.exit`` can be understood in its place."""


class NoWayOut(AbstractContextManager[None]):
    """Let ``os._exit`` in this process be an error while the block runs; processes that nodes fork end by it as ever.

    No generator: contextlib would write to what passes through it, which an error of the user's may not allow.
    """

    def __init__(self, where: Callable[[], str | None]) -> None:
        """Say how to tell what the calling thread works for.

        Args:
            where: gives None where that is nothing of the step's, as for a thread that watches over others: it ends the process,
                and not with success.
        """
        self._where = where
        self._leave, self._own = os._exit, os.getpid()

    def __enter__(self) -> None:
        os._exit = self._told

    def __exit__(self, *_: object) -> None:
        os._exit = self._leave

    def _told(self, status: int = 0) -> NoReturn:
        if os.getpid() != self._own:
            self._leave(status)
        if threading.current_thread() is threading.main_thread() or self._where():
            raise Left(status)
        print(f"kedro-kubeflow: a thread of the step has called os._exit({status!r})", file=sys.stderr, flush=True)
        self._leave(status or 1)


def call_of(error: SystemExit) -> str:
    """What the code has called."""
    return f"{'os._exit' if isinstance(error, Left) else 'sys.exit'}({error.code!r})"
