"""A step's time inside the pipeline's MLflow run.

kedro-mlflow uses a run that is already active and then neither renames nor closes it
(https://kedro-mlflow.readthedocs.io/en/stable/source/03_experiment_tracking/01_configuration.html); so the step activates the
run, lets Kedro work, and leaves it as it is: RUNNING, or as the last task has ended it meanwhile. Without kedro-mlflow nothing
is activated, so that user code may call ``mlflow.start_run`` as it does elsewhere; it then enters this run.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.earlier import EarlierAttempt
from kedro_kubeflow.tracking.finish import TOLD_TO_END, is_adopted, mark_success
from kedro_kubeflow.tracking.fluent import OneRun
from kedro_kubeflow.tracking.logged import StepLog
from kedro_kubeflow.tracking.server import client, has_given_up
from kedro_kubeflow.tracking.status import (
    FAILED,
    FINISHED,
    KILLED,
    RUNNING,
    STEP_FAILED,
    STEP_RUNNING,
    STEP_SUCCEEDED,
    STEP_TERMINATED,
    all_succeeded,
    first_word,
)

if TYPE_CHECKING:
    from mlflow.entities import Run

_TRIES = 5
_RETRIES_ENV = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_log = logging.getLogger(__name__)


class JoinedRun:
    """The pipeline's run in this process, from ``begin`` to ``succeed``, ``fail`` or ``told_to_end``.

    Attributes:
        log: what the step logs to the run; there after ``begin``.
    """

    log: StepLog

    def __init__(
        self,
        run: Run,
        step: str,
        nodes: Collection[str],
        *,
        activate: bool,
        closes_on_failure: bool = False,
        at_exit: bool = False,
    ) -> None:
        """Nothing is sent yet.

        Args:
            run: the run as it was a moment ago.
            nodes: the step's nodes: what an earlier attempt may have said of them is taken back.
            activate: whether the run is made the active one at once, for kedro-mlflow.
            closes_on_failure: whether a failing step writes the final status itself, as nobody else will.
            at_exit: whether the pipeline has ended before: then a failure says nothing of what became of it.
        """
        self.run_id, self.step, self.nodes = str(run.info.run_id), step, nodes
        self._found = run
        self._activate, self._closes, self._at_exit = activate, closes_on_failure, at_exit
        self._client = client()
        self._key = tags.step_key(step)
        self._since = time.monotonic()
        self._owned = not is_adopted(run)
        self._node: str | None = None
        self._fluent: OneRun | None = None
        self._left_with: str | None = None
        self._final_before: str | None = None
        self._telling = threading.Lock()
        self._over = False

    def begin(self) -> None:
        """Join the run and say that the step runs."""
        run = self._found
        self.log = StepLog(self.run_id, EarlierAttempt(self._client, run) if self._key in run.data.tags else None)
        # The tag first: it fails where the run was deleted, with nothing to clear away yet.
        tags.write(self._client, self.run_id, {self._key: STEP_RUNNING})
        self._final_before = run.data.tags.get(tags.FINAL_STATUS)
        self._take_back(run)
        self._fluent = OneRun(
            self.run_id,
            run.info.experiment_id,
            active=self._activate,
            entered=self._keep_final_status,
            standing=self._standing,
        )
        self._fluent.install()

    def node_starts(self, node: str) -> None:
        """Tell people which node runs."""
        self._node = node
        tags.write(self._client, self.run_id, {self._key: f"{STEP_RUNNING} {node}", tags.LATEST_NODE: node})

    def succeed(self, times: str = "", more: Mapping[str, str] | None = None) -> None:
        """Say that the step succeeded; the last step to say so closes the run, where no task does that.

        Args:
            times: when the step did what, as JSON.
            more: further tags of it.
        """
        said = dict(more or {})
        said |= {tags.times_key(self._key): times} if times else {}
        tags.write(self._client, self.run_id, {self._key: f"{STEP_SUCCEEDED} in {self._seconds()}", **said})
        run = self._client.get_run(self.run_id)
        if self._is_last(run):
            mark_success(self._client, run)
        else:
            tags.drop(self._client, self.run_id, *self._said_of_it(run.data.tags), *self._closed_by_it(run.data.tags))
        self._leave(FINISHED)

    def fail(
        self, error: BaseException, *, reason: BaseException, node: str | None, times: str = "", again: bool = False
    ) -> None:
        """Say which node failed, and why; never raises, as the error is what people must see.

        Also for a step that has failed before it could begin.

        Args:
            error: what people read: what, where and the cure.
            reason: what was raised in the first place.
            again: whether the step will be tried again in this pod.
        """
        if has_given_up(reason):
            # It was waited for long enough; this is one more try.
            os.environ[_RETRIES_ENV] = "0"
        with self._quietly():
            said = self._last_words(error, reason, node)
            said |= {tags.times_key(self._key): times} if times else {}
            said |= {tags.FINAL_STATUS: FAILED} if self._closes and self._owned and not again else {}
            tags.write(self._client, self.run_id, said)
            self._leave(FAILED)

    def told_to_end(self, was_cancelled: Callable[[], bool | None]) -> None:
        """Say that the step was told to end, once; never raises.

        Where somebody has ended the run, its final status is written too: the exit task may never come. Kubeflow leaves the
        step some tenths of a second, so what can be sent at the same time is.

        Args:
            was_cancelled: asks whether somebody has ended the run; None where that is not known.
        """
        with self._telling:
            if self._over or self._at_exit:
                return
            self._over = True
            with self._quietly():
                self._tell_of_the_end(was_cancelled)

    def leave(self) -> None:
        """Leave the run, after ``told_to_end``; never raises."""
        with self._quietly():
            self._leave(FAILED)

    def _tell_of_the_end(self, was_cancelled: Callable[[], bool | None]) -> None:
        where = self._node or ""
        ended = {self._key: f"{STEP_TERMINATED} after {self._seconds()}" + (f": {where}" if where else "")}
        first = _meanwhile(lambda: tags.write(self._client, self.run_id, ended))
        cancelled = was_cancelled()
        final = KILLED if cancelled else FAILED if self._closes else None
        said: dict[str, str] = {}
        if cancelled is False or (self._closes and not cancelled):
            said = {
                tags.FAILED_NODE: where or self.step,
                tags.ERROR: TOLD_TO_END,
                tags.error_key(self._key): TOLD_TO_END,
            }
        closing = None
        if final and self._owned:
            said[tags.FINAL_STATUS] = final
            closing = _meanwhile(lambda: self._client.set_terminated(self.run_id, final))
        if said:
            tags.write(self._client, self.run_id, said)
        for thread in filter(None, (first, closing)):
            thread.join()

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            _log.exception("What became of the step could not be written to MLflow run %s", self.run_id)
            # MLflow's exit handler comes here once more, by end_run; it must not wait for the server again.
            os.environ[_RETRIES_ENV] = "0"

    def _is_last(self, run: Run) -> bool:
        """Whether every step has succeeded, and no task waits for that; of two that end at once, both may be the last."""
        number, final = run.data.tags.get(tags.STEPS), run.data.tags.get(tags.FINAL_STATUS)
        # Who closes the run while a step is at work knows that nobody waits for that step any more.
        if self._at_exit or number is None or final not in (self._final_before, FINISHED):
            return False
        return all_succeeded(tags.steps_in(run.data.tags).values(), int(number))

    def _take_back(self, run: Run) -> None:
        """Take back what an earlier attempt of the step has said."""
        known = run.data.tags
        stale = self._said_of_it(known)
        if self._owned and not self._at_exit and known.get(tags.FINAL_STATUS) == FINISHED and tags.STEPS in known:
            # The last step closed the run, and was lost before Kubeflow had its outputs.
            stale.append(tags.FINAL_STATUS)
        tags.drop(self._client, self.run_id, *stale)

    def _said_of_it(self, known: Mapping[str, str]) -> list[str]:
        """The tags by which an attempt of this step has told of a failure."""
        own = [key for key in (tags.error_key(self._key),) if key in known]
        blamed = set(known.get(tags.FAILED_NODE, "").split(", "))
        if self._at_exit or not blamed <= {self.step, *self.nodes}:
            return own
        return [*own, *(key for key in (tags.FAILED_NODE, tags.ERROR) if key in known)]

    def _closed_by_it(self, known: Mapping[str, str]) -> list[str]:
        """The final status, where an earlier attempt of this step alone has closed the run with it."""
        words = {first_word(value) for value in tags.steps_in(known).values()}
        open_again = self._closes and not words & {STEP_FAILED, STEP_TERMINATED}
        return [tags.FINAL_STATUS] if open_again and known.get(tags.FINAL_STATUS) in (FAILED, KILLED) else []

    def _last_words(self, error: BaseException, reason: BaseException, node: str | None) -> dict[str, str]:
        # MLflow's UI cuts what is long, key and all; the error's line has a tag of its own.
        said = {
            self._key: f"{STEP_FAILED} after {self._seconds()}: {type(reason).__name__}",
            tags.error_key(self._key): tags.last_words(error),
        }
        return (
            said if self._at_exit else {**said, tags.FAILED_NODE: node or self.step, tags.ERROR: tags.one_line(reason)}
        )

    def _leave(self, leftovers: str) -> None:
        """Leave the run without ending it; runs that user code left open inside it end with ``leftovers``."""
        if self._fluent is not None:
            self._left_with = self._standing()
            self._fluent.leave(leftovers)
        self._settle()

    def _settle(self) -> None:
        """Let the run's status be the standing one, also if that has changed since it was looked at."""
        for _ in range(_TRIES if self._owned else 0):
            run = self._client.get_run(self.run_id)
            standing = run.data.tags.get(tags.FINAL_STATUS, RUNNING)
            if run.info.status == standing:
                return
            if standing == RUNNING:
                self._client.update_run(self.run_id, status=RUNNING)
            else:
                self._client.set_terminated(self.run_id, standing)

    def _keep_final_status(self, entered: Run) -> None:
        """Take back the RUNNING that entering the run has written, where the pipeline had its end before.

        So it is when people retry steps of a run that has failed: should the process be killed, nobody comes after it to
        write FAILED again.
        """
        final = entered.data.tags.get(tags.FINAL_STATUS)
        if final and self._owned:
            self._client.update_run(self.run_id, status=final)

    def _standing(self) -> str:
        """The status that the run has apart from this step: the final one, once somebody has written it."""
        if self._left_with or not self._owned:
            return self._left_with or RUNNING
        return str(self._client.get_run(self.run_id).data.tags.get(tags.FINAL_STATUS, RUNNING))

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._since:.1f} s"


def _meanwhile(work: Callable[[], object]) -> threading.Thread:
    """Do something at the same time; what goes wrong in it is not told."""

    def quietly() -> None:
        with suppress(Exception):
            work()

    thread = threading.Thread(target=quietly, daemon=True)
    thread.start()
    return thread
