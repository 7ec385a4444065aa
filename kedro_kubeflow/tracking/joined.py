"""A step's time inside the pipeline's MLflow run.

kedro-mlflow uses a run that is already active and then neither renames nor closes it
(https://kedro-mlflow.readthedocs.io/en/stable/source/03_experiment_tracking/01_configuration.html); so the step activates the
run, lets Kedro work, and leaves it as it is: RUNNING, or as the last task has ended it meanwhile. Without kedro-mlflow nothing
is activated, so that user code may call ``mlflow.start_run`` as it does elsewhere; it then enters this run.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.earlier import EarlierAttempt
from kedro_kubeflow.tracking.finish import is_adopted
from kedro_kubeflow.tracking.fluent import OneRun
from kedro_kubeflow.tracking.logged import StepLog
from kedro_kubeflow.tracking.server import client
from kedro_kubeflow.tracking.status import (
    FAILED,
    FINISHED,
    KILLED,
    RUNNING,
    STEP_FAILED,
    STEP_RUNNING,
    STEP_SUCCEEDED,
    STEP_TERMINATED,
)

if TYPE_CHECKING:
    from mlflow.entities import Run

_TRIES = 5


class JoinedRun:
    """The pipeline's run in this process, from ``begin`` to ``succeed`` or ``fail``.

    Attributes:
        log: what the step logs to the run; there after ``begin``.
    """

    log: StepLog

    def __init__(
        self,
        run_id: str,
        step: str,
        nodes: Collection[str],
        *,
        activate: bool,
        closes_on_failure: bool = False,
        at_exit: bool = False,
    ) -> None:
        """Nothing is sent yet.

        Args:
            nodes: the step's nodes: what an earlier attempt may have said of them is taken back on success.
            activate: whether the run is made the active one at once, for kedro-mlflow.
            closes_on_failure: whether a failing step writes the final status itself, as nobody else will.
            at_exit: whether the pipeline has ended before: then a failure says nothing of what became of it.
        """
        self.run_id, self.step, self.nodes = run_id, step, nodes
        self._activate, self._closes, self._at_exit = activate, closes_on_failure, at_exit
        self._client = client()
        self._key = tags.step_key(step)
        self._since = time.monotonic()
        self._owned = True
        self._fluent: OneRun | None = None
        self._left_with: str | None = None

    def begin(self) -> None:
        """Join the run and say that the step runs."""
        run = self._look()
        self.log = StepLog(self.run_id, EarlierAttempt(self._client, run) if self._key in run.data.tags else None)
        # The tag first: it fails where the run was deleted, with nothing to clear away yet.
        tags.write(self._client, self.run_id, {self._key: STEP_RUNNING})
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
        tags.write(self._client, self.run_id, {self._key: f"{STEP_RUNNING} {node}", tags.LATEST_NODE: node})

    def succeed(self) -> None:
        """Say that the step succeeded; what its earlier attempt said of a failure goes."""
        tags.write(self._client, self.run_id, {self._key: f"{STEP_SUCCEEDED} in {self._seconds()}"})
        known = self._client.get_run(self.run_id).data.tags
        if known.get(tags.FAILED_NODE) in (self.step, *self.nodes):
            stale = [tags.FAILED_NODE, tags.ERROR]
            if self._closes and not any(v.startswith(STEP_FAILED) for v in tags.steps_in(known).values()):
                stale.append(tags.FINAL_STATUS)
            tags.erase(self._client, self.run_id, *stale)
        self._leave(FINISHED)

    def fail(self, error: BaseException, node: str | None, *, terminated: bool) -> None:
        """Say which node failed, and the error's one line; never raises, as the error is what people must see.

        Also for a step that has failed before it could begin.
        """
        try:
            if self._fluent is None:
                self._look()
            tags.write(self._client, self.run_id, self._last_words(error, node, terminated=terminated))
            self._leave(FAILED)
        except Exception:
            logging.getLogger(__name__).exception("The failure could not be written to MLflow run %s", self.run_id)
            # MLflow's exit handler comes here once more, by end_run; it must not wait for the server again.
            os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"

    def _look(self) -> Run:
        run = self._client.get_run(self.run_id)
        self._owned = not is_adopted(run)
        return run

    def _last_words(self, error: BaseException, node: str | None, *, terminated: bool) -> dict[str, str]:
        final = {tags.FINAL_STATUS: KILLED if terminated else FAILED} if self._closes and self._owned else {}
        if terminated:
            return {self._key: f"{STEP_TERMINATED} after {self._seconds()}", **final}
        failed = f"{STEP_FAILED} after {self._seconds()}: "
        if self._at_exit:
            return {self._key: failed + tags.one_line(error)}
        # MLflow's UI cuts what is long, key and all; the error's line has a tag of its own.
        said = {self._key: failed + type(error).__name__}
        return {**said, tags.FAILED_NODE: node or self.step, tags.ERROR: tags.one_line(error), **final}

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
