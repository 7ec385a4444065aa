"""Trying a step again in its own pod: Kubeflow does so for pods that are lost, and not for nodes that fail.

Argo's ``retryPolicy`` stays ``OnError``, whatever a pipeline asks for
(https://argo-workflows.readthedocs.io/en/latest/retries/). The process begins anew as it was called, with the environment that it
began with: nothing of the failed attempt is left in it. A process that is killed cannot do that.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kedro_kubeflow.contract import ATTEMPT_ENV, LOCAL_ENV, MODULE, StepCall
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.vertex import on_vertex


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """How often a step is tried in its pod.

    Attributes:
        number: which attempt this is, from 1 on.
        most: how many there are at most.
        pause: seconds to the next one.
        since: when the first one began, in seconds since the epoch.
        seconds: since then, after which none begins any more; 0 is no end.
    """

    number: int = 1
    most: int = 1
    pause: float = 0.0
    since: float = 0.0
    seconds: float = 0.0

    @classmethod
    def of(cls, call: StepCall, environment: Mapping[str, str] = os.environ) -> Attempts:
        """The attempts that a call asks for, and how far they are.

        Elsewhere than on Kubeflow it is one: whoever starts the steps there repeats them.
        """
        if LOCAL_ENV in environment or on_vertex():
            return cls()
        retries, backoff, factor, seconds = call.settings.get("retry") or (0, 0, 1, 0)
        number, _, since = environment.get(ATTEMPT_ENV, "1").partition(" ")
        return cls(
            number=int(number),
            most=1 + int(retries),
            pause=float(backoff) * float(factor) ** (int(number) - 1),
            since=float(since or time.time()),
            seconds=float(seconds),
        )

    @property
    def again(self) -> bool:
        """Whether another one follows where this one fails."""
        in_time = not self.seconds or time.time() + self.pause < self.since + self.seconds
        return self.number < self.most and in_time

    @property
    def marks(self) -> dict[str, str]:
        """The environment by which the next attempt knows itself."""
        return {ATTEMPT_ENV: f"{self.number + 1} {self.since}"}


def begin_anew(argv: Sequence[str], environment: Mapping[str, str], attempts: Attempts) -> None:
    """Become the next attempt.

    Args:
        argv: what follows the runtime module's name.
        environment: the one that this process began with.
    """
    time.sleep(attempts.pause)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", MODULE, *argv], {**environment, **attempts.marks})  # noqa: S606


def clear_outputs(call: StepCall, executor: Executor) -> None:
    """Take away what the failed attempt has made: a file that only it wrote would be taken for one of the next."""
    for artifact in call.outputs:
        path = executor.output_path(artifact.name)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            Path(path).unlink(missing_ok=True)
