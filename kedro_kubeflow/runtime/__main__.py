"""``python -m kedro_kubeflow.runtime ACTION --step NAME … --executor-input JSON``: what a pod runs.

Exit codes are those of ``kedro_kubeflow.errors``; the last lines say what failed, where, and the cure.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from kedro_kubeflow.contract import RUN_ID_ENV, StepCall
from kedro_kubeflow.errors import KedroKubeflowError, StepError, chain_of
from kedro_kubeflow.runtime import garbage, termination
from kedro_kubeflow.runtime.attempts import Attempts, begin_anew, clear_outputs
from kedro_kubeflow.runtime.ending import end_process
from kedro_kubeflow.runtime.entry_points import read_once
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.late import import_late
from kedro_kubeflow.runtime.missing import packages_of_image
from kedro_kubeflow.runtime.quiet import quiet
from kedro_kubeflow.runtime.vertex import settle_in


def main(argv: list[str]) -> int:
    """Do what the arguments say, as often as they say; give the exit code."""
    termination.listen()
    environment = dict(os.environ)
    quiet()
    read_once()
    import_late()
    try:
        call, text = StepCall.from_argv(argv)
        executor = Executor(text)
    except ValueError as error:
        print(f"kedro-kubeflow: {error}", file=sys.stderr)
        return 2
    if executor.run_id:
        # A step whose outputs say it needs no label of its pod for it, which would stand in the workflow nine times.
        os.environ.setdefault(RUN_ID_ENV, executor.run_id)
    try:
        settle_in(call, executor)
        with _code_of(call, executor), packages_of_image(call):
            _action(call)(call, executor)
    except Exception as error:
        code = _told(call, error)
        if call.action != "finish":
            _again(call, executor, argv, environment)
        return code
    except KeyboardInterrupt:
        _say(call, "interrupted")
        return 128 + signal.SIGINT
    return 0


def _told(call: StepCall, error: Exception) -> int:
    """Say what went wrong; gives the exit code."""
    if not isinstance(error, KedroKubeflowError):
        traceback.print_exception(error)
        _say(call, "\n  because of ".join(f"{type(one).__name__}: {one}" for one in chain_of(error)))
        return 1
    if isinstance(error, StepError) and error.__cause__:
        # Where in the user's code it happened; Kedro itself does not log it.
        traceback.print_exception(error.__cause__)
    _say(call, str(error))
    return error.exit_code


def _again(call: StepCall, executor: Executor, argv: list[str], environment: Mapping[str, str]) -> None:
    """Begin anew, if another attempt follows; else nothing."""
    attempts = Attempts.of(call, environment)
    if not attempts.again:
        return
    print(
        f"kedro-kubeflow: attempt {attempts.number} of {attempts.most} failed; the next one in {attempts.pause:g} s",
        file=sys.stderr,
        flush=True,
    )
    clear_outputs(call, executor)
    begin_anew(argv, environment, attempts)


def _code_of(call: StepCall, executor: Executor) -> AbstractContextManager[None]:
    """The working folder with the code that is to be run."""
    if not call.code:
        return nullcontext()
    from kedro_kubeflow.runtime.code_source import project_code

    return project_code(call, executor)


def _action(call: StepCall) -> Callable[[StepCall, Executor], None]:
    if call.action == "run":
        from kedro_kubeflow.runtime.step import run_step

        return run_step
    if call.action == "fill":
        from kedro_kubeflow.runtime.volume import fill

        return fill
    if call.action == "finish":
        from kedro_kubeflow.runtime.exit import leave

        return leave
    if call.action == "fetch":
        from kedro_kubeflow.runtime.code_source import fetch

        return fetch
    if not call.tracking:
        return lambda _call, executor: executor.write()
    from kedro_kubeflow.runtime import frame

    return {"start": frame.start, "succeed": frame.succeed}[call.action]


def _say(call: StepCall, text: str) -> None:
    sys.stdout.flush()
    print(f"kedro-kubeflow: step {call.step!r} failed\n{text}", file=sys.stderr, flush=True)


def _run(argv: list[str]) -> int:
    try:
        return main(argv)
    except termination.Terminated:
        # Everything has been said; the end would still wait for nodes that run in threads.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(termination.TERMINATED)


if __name__ == "__main__":
    garbage.put_off()
    end_process(lambda: sys.exit(_run(sys.argv[1:])))
