"""``python -m kedro_kubeflow.runtime ACTION --step NAME … --executor-input JSON``: what a pod runs.

Exit codes are those of ``kedro_kubeflow.errors``; the last lines say what failed, where, and the cure.
"""

from __future__ import annotations

import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from types import FrameType

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.runtime.executor import Executor

TERMINATED = 128 + signal.SIGTERM


def main(argv: list[str]) -> int:
    """Do what the arguments say; give the exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    # Kedro calls a function that OmegaConf 2.4 renamed: nothing that a user could mend.
    warnings.filterwarnings("ignore", message=r"register_new_resolver\(\)")
    try:
        call, text = StepCall.from_argv(argv)
        executor = Executor(text)
    except ValueError as error:
        print(f"kedro-kubeflow: {error}", file=sys.stderr)
        return 2
    try:
        _action(call)(call, executor)
    except KedroKubeflowError as error:
        _say(call, str(error))
        return error.exit_code
    except KeyboardInterrupt:
        _say(call, "interrupted")
        return 128 + signal.SIGINT
    except Exception as error:
        traceback.print_exc()
        _say(call, f"{type(error).__name__}: {error}")
        return 1
    return 0


def _action(call: StepCall) -> Callable[[StepCall, Executor], None]:
    if call.action == "run":
        from kedro_kubeflow.runtime.step import run_step

        return run_step
    from kedro_kubeflow.runtime import frame

    return {"start": frame.start, "succeed": frame.succeed, "finish": frame.finish}[call.action]


def _say(call: StepCall, text: str) -> None:
    sys.stdout.flush()
    print(f"kedro-kubeflow: step {call.step!r} failed\n{text}", file=sys.stderr, flush=True)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    # An exception, so that the step can still say in MLflow that it was terminated.
    raise SystemExit(TERMINATED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
