"""MLflow's fluent API while a step runs: there is one run, which code may enter and leave, and which nothing ends.

``mlflow.log_metric`` in a thread, a second ``mlflow.start_run``, and MLflow's own exit handler would each start a rival run or
end the pipeline's as FINISHED (https://mlflow.org/docs/latest/api_reference/python_api/mlflow.html#mlflow.start_run). So
``start_run`` and ``end_run`` are given the pipeline's run for as long as the step's process lives; nested runs stay what they
are.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kedro_kubeflow.tracking.server import client
from kedro_kubeflow.tracking.status import FINISHED, RUNNING

# By this, MLflow in processes that user code starts finds the run (https://mlflow.org/docs/latest/ml/tracking/).
RUN_ID_ENV = "MLFLOW_RUN_ID"
# Where MLflow leaves the experiment that was chosen last.
EXPERIMENT_ID_ENV = "MLFLOW_EXPERIMENT_ID"


class OneRun:
    """Keeps the fluent API to one run, from ``install`` to ``remove``."""

    def __init__(
        self,
        run_id: str,
        experiment_id: str,
        *,
        active: bool,
        entered: Callable[[Any], None],
        standing: Callable[[], str],
    ) -> None:
        """Nothing is changed yet.

        Args:
            active: whether the run is active in the main thread from ``install`` to ``leave``, as kedro-mlflow needs it.
            entered: is given the run whenever it was entered, which writes the status RUNNING.
            standing: gives the status that the run is left with whenever somebody ends it.
        """
        self._run_id, self._experiment_id = run_id, experiment_id
        self._active, self._entered, self._standing = active, entered, standing
        self._lock = threading.RLock()
        self._start: Callable[..., Any] | None = None
        self._end: Callable[..., Any] | None = None

    def install(self) -> None:
        """Put our start_run and end_run where MLflow, kedro-mlflow and user code look for theirs."""
        from mlflow.tracking import fluent

        self._start, self._end = fluent.start_run, fluent.end_run

        @functools.wraps(fluent.start_run)
        def start_run(*args: Any, **kwargs: Any) -> Any:
            return self.start(*args, **kwargs)

        @functools.wraps(fluent.end_run)
        def end_run(*args: Any, **kwargs: Any) -> None:
            self.end(*args, **kwargs)

        _put(start_run, end_run)
        os.environ[RUN_ID_ENV] = self._run_id
        if self._active:
            self._enter()

    def leave(self, leftovers: str) -> None:
        """Leave the run, end with ``leftovers`` what code has left open inside it, and put MLflow's own functions back."""
        import mlflow

        self._active = False
        while mlflow.active_run() is not None:
            self.end(leftovers)
        if self._start is not None:
            _put(self._start, self._end)
            os.environ.pop(RUN_ID_ENV, None)
        self._start = self._end = None

    def start(self, run_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """``mlflow.start_run``: where code asks for no run in particular, it enters the pipeline's; again, if need be."""
        import mlflow

        if run_id == self._run_id:
            return self._enter(*args, **kwargs)
        nested = bool(kwargs.get("nested"))
        if run_id is None and kwargs.get("parent_run_id") is None:
            active = mlflow.active_run()
            if not nested and (active is None or self._is_ours(active)):
                return self._enter(nested=active is not None, tags=kwargs.get("tags"))
            if active is None:
                self._enter()
        with self._without_run_id():
            return self._original_start(run_id, *args, **kwargs)

    def end(self, status: str = "FINISHED") -> None:
        """``mlflow.end_run``: the pipeline's run is left, with the status that it has; any other is ended."""
        import mlflow

        active = mlflow.active_run()
        with self._without_run_id():
            self._original_end(self._standing() if self._is_ours(active) else status)
        if self._active and mlflow.active_run() is None and threading.current_thread() is threading.main_thread():
            self._enter()

    def _is_ours(self, run: Any) -> bool:
        return run is not None and run.info.run_id == self._run_id

    def _enter(self, *args: Any, **kwargs: Any) -> Any:
        import mlflow

        # Code, or kedro-mlflow, may have chosen another experiment; MLflow would refuse to resume the run.
        if os.environ.get(EXPERIMENT_ID_ENV) != self._experiment_id:
            mlflow.set_experiment(experiment_id=self._experiment_id)
        with self._without_run_id():
            run = self._original_start(self._run_id, *args, **kwargs)
        self._entered(run)
        return run

    def _original_start(self, *args: Any, **kwargs: Any) -> Any:
        if self._start is None:
            raise RuntimeError("not installed")
        return self._start(*args, **kwargs)

    def _original_end(self, status: str) -> None:
        if self._end is not None:
            self._end(status)

    @contextmanager
    def _without_run_id(self) -> Iterator[None]:
        """MLflow takes the environment's run for any new one, and removes the variable then; other processes need it."""
        with self._lock:
            os.environ.pop(RUN_ID_ENV, None)
            try:
                yield
            finally:
                os.environ[RUN_ID_ENV] = self._run_id


@contextmanager
def inside(run_id: str | None) -> Iterator[None]:
    """Let code log to a run, which is left with the status that it has; nothing where there is no run."""
    if run_id is None:
        yield
        return
    mlflow = client()
    run = mlflow.get_run(run_id)

    def settle(_: Any) -> None:
        if run.info.status != RUNNING:
            mlflow.update_run(run_id, status=run.info.status)

    one = OneRun(run_id, run.info.experiment_id, active=True, entered=settle, standing=lambda: str(run.info.status))
    one.install()
    try:
        yield
    finally:
        one.leave(FINISHED)
        _left_as_it_was(mlflow, run)


def _left_as_it_was(mlflow: Any, run: Any) -> None:
    now, before = mlflow.get_run(run.info.run_id), run.info.status
    if now.info.status == before:
        return
    if before == RUNNING:
        mlflow.update_run(run.info.run_id, status=RUNNING)
    else:
        mlflow.set_terminated(run.info.run_id, before)


def _put(start: Any, end: Any) -> None:
    import mlflow
    from mlflow.tracking import fluent

    for place in (fluent, mlflow):
        place.start_run = start
        place.end_run = end
