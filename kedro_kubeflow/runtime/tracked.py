"""The step's part of the pipeline's MLflow run: join it, tell it what runs, give KFP the metrics that were logged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from kedro_kubeflow.contract import RUN_ID_INPUT, StepCall
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.session import tracked_context
from kedro_kubeflow.runtime.termination import is_termination
from kedro_kubeflow.runtime.watch import Watch
from kedro_kubeflow.tracking.joined import JoinedRun
from kedro_kubeflow.tracking.logged import StepLog
from kedro_kubeflow.tracking.server import tracking_errors


@contextmanager
def tracked_step(call: StepCall, executor: Executor, session: Any, watch: Watch) -> Iterator[None]:
    """Run a block inside the MLflow run whose id the step was given.

    Raises:
        TrackingError: the run cannot be joined, or its success cannot be written.
    """
    run = _joined(call, executor, session)
    watch.on_node = run.node_starts
    watch.around_start = lambda params: _tags_of_the_pipeline_alone(run.log, params)
    try:
        with run.log.recording():
            yield
    except BaseException as error:
        reason = error.__cause__ if isinstance(error.__cause__, Exception) else error
        run.fail(reason, watch.place_of(reason).node, terminated=is_termination(error))
        raise
    with tracking_errors():
        run.succeed()
    for crossing in call.outputs:
        if crossing.how == "mlflow":
            executor.describe(crossing.artifact, run.log.metrics)


def _joined(call: StepCall, executor: Executor, session: Any) -> JoinedRun:
    with tracking_errors():
        context = tracked_context(session)
        run = JoinedRun(
            str(executor.parameters[RUN_ID_INPUT]),
            call.step,
            call.nodes,
            # kedro-mlflow logs to a run that is active already; without it, user code finds the run by itself.
            activate=hasattr(context, "mlflow"),
            closes_on_failure=bool(call.settings.get("closes_on_failure")),
        )
        run.begin()
    return run


def _tags_of_the_pipeline_alone(log: StepLog, params: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Let kedro-mlflow not write the step's own run parameters (its nodes, its command) over those of the pipeline.

    The start task has written the pipeline's.
    """
    return log.leaving_out({**{key: str(value) for key, value in params.items()}, "kedro_command": None})
