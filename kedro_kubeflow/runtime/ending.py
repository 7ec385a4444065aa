"""The end of a step's process: all that an interpreter does at its end, but for taking itself apart."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable
from typing import NoReturn


def end_process(body: Callable[[], object]) -> NoReturn:
    """Run something, and end the process with the exit code that Python would give.

    Threads are waited for, functions registered with ``atexit`` run, what was printed is written. What is left out is the
    taking apart of modules and objects, half a second with MLflow and pandas, which the system does at once.
    """
    code = _code_of(body)
    # As Py_FinalizeEx does, in its order.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # A full disk, say, or a closed stream.
            code = code or 120
    os._exit(code & 0xFF)


def _code_of(body: Callable[[], object]) -> int:
    try:
        body()
    except SystemExit as ending:
        if ending.code is None or isinstance(ending.code, int):
            return ending.code or 0
        print(ending.code, file=sys.stderr)
        return 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0
