"""Code that ends the step's process: with 0, Kubeflow would take a step for done that has made none of its outputs."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn


class Left(SystemExit):
    """``os._exit`` was called where ``sys.exit`` can be understood in its place."""


@contextmanager
def no_way_out(where: Callable[[], str | None]) -> Iterator[None]:
    """Let ``os._exit`` in this process be an error while the block runs; processes that nodes fork end by it as ever.

    Args:
        where: what the calling thread works for; None where that is nothing of the step's, as for a thread that watches over
            others: it ends the process, and not with success.
    """
    leave, own = os._exit, os.getpid()

    def told(status: int = 0) -> NoReturn:
        if os.getpid() != own:
            leave(status)
        if threading.current_thread() is threading.main_thread() or where():
            raise Left(status)
        print(f"kedro-kubeflow: a thread of the step has called os._exit({status!r})", file=sys.stderr, flush=True)
        leave(status or 1)

    os._exit = told
    try:
        yield
    finally:
        os._exit = leave


def call_of(error: SystemExit) -> str:
    """What the code has called."""
    return f"{'os._exit' if isinstance(error, Left) else 'sys.exit'}({error.code!r})"
