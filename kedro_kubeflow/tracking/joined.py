"""A step's time inside the pipeline's MLflow run.

kedro-mlflow uses a run that is already active and then neither renames nor closes it
(https://kedro-mlflow.readthedocs.io/en/stable/source/03_experiment_tracking/01_configuration.html); so the step
activates the run, lets Kedro work, and leaves it as it is: RUNNING, or what the last task has written meanwhile. MLflow's own
exit handler would end it as FINISHED, even after a crash, which is why the release is also registered with ``atexit``.
"""

from __future__ import annotations

import atexit
import logging
import time
from collections.abc import Collection

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.run import FAILED, FINISHED, KILLED, RUNNING, client


class JoinedRun:
    """The pipeline's run, active in this process from ``begin`` to ``succeed`` or ``fail``."""

    def __init__(self, run_id: str, step: str, nodes: Collection[str], *, closes_on_failure: bool = False) -> None:
        """Nothing is sent yet.

        Args:
            nodes: the step's nodes: what an earlier attempt may have said of them is taken back on success.
            closes_on_failure: whether a failing step writes the final status itself, as nobody else will.
        """
        self.run_id, self.step, self.nodes = run_id, step, nodes
        self._closes = closes_on_failure
        self._client = client()
        self._since = time.monotonic()

    def begin(self) -> None:
        """Activate the run and say that the step runs."""
        import mlflow

        run = self._client.get_run(self.run_id)
        # kedro-mlflow (or the environment) may have chosen another experiment; resuming would then be refused.
        mlflow.set_experiment(experiment_id=run.info.experiment_id)
        mlflow.start_run(run_id=self.run_id)
        atexit.register(self._release, FAILED)
        self._client.set_tag(self.run_id, tags.step_key(self.step), "running")

    def node_starts(self, node: str) -> None:
        """Tell people which node runs, and let what it logs go to the run: MLflow has an active run for each thread."""
        import mlflow

        if mlflow.active_run() is None:
            mlflow.start_run(run_id=self.run_id)
        self._client.set_tag(self.run_id, tags.LATEST_NODE, tags.shorten(node))

    def succeed(self) -> None:
        """Say that the step succeeded; what its earlier attempt said of a failure goes."""
        self._client.set_tag(self.run_id, tags.step_key(self.step), f"succeeded in {self._seconds()}")
        known = self._client.get_run(self.run_id).data.tags
        if known.get(tags.FAILED_NODE) in (self.step, *self.nodes):
            for key in {tags.FAILED_NODE, tags.ERROR} & set(known):
                self._client.delete_tag(self.run_id, key)
        self._release(FINISHED)
        atexit.unregister(self._release)

    def fail(self, error: BaseException, node: str | None) -> None:
        """Say which node failed, and the error's one line; never raises, as the error is what people must see."""
        try:
            self._say_failed(error, node)
            self._release(FAILED)
            atexit.unregister(self._release)
        except Exception:
            logging.getLogger(__name__).exception("The failure could not be written to MLflow run %s", self.run_id)

    def _say_failed(self, error: BaseException, node: str | None) -> None:
        killed = isinstance(error, SystemExit | KeyboardInterrupt)
        state = "terminated" if killed else "failed"
        self._client.set_tag(self.run_id, tags.step_key(self.step), f"{state} after {self._seconds()}")
        if not killed:
            self._client.set_tag(self.run_id, tags.FAILED_NODE, tags.shorten(node or self.step))
            self._client.set_tag(self.run_id, tags.ERROR, tags.one_line(error))
        if self._closes:
            self._client.set_tag(self.run_id, tags.FINAL_STATUS, KILLED if killed else FAILED)

    def _release(self, leftovers: str) -> None:
        """Leave the run without ending it; runs that user code left open inside it end with ``leftovers``."""
        import mlflow

        while (active := mlflow.active_run()) is not None:
            if active.info.run_id != self.run_id:
                mlflow.end_run(leftovers)
                continue
            known = self._client.get_run(self.run_id)
            # The one public way to leave a run; it also writes a status, so write the one that holds.
            mlflow.end_run(known.data.tags.get(tags.FINAL_STATUS, RUNNING))

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._since:.1f} s"
