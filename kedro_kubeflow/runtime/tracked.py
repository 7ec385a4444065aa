"""The step's part of the pipeline's MLflow run: join it, tell it what runs, give KFP the metrics that were logged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kedro_kubeflow.contract import RUN_ID_INPUT, StepCall
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.watch import Watch
from kedro_kubeflow.tracking.joined import JoinedRun
from kedro_kubeflow.tracking.logged import logged_metrics
from kedro_kubeflow.tracking.run import tracking_errors


@contextmanager
def tracked_step(call: StepCall, executor: Executor, session: Any, watch: Watch) -> Iterator[None]:
    """Run a block inside the MLflow run whose id the step was given.

    Raises:
        TrackingError: the run cannot be joined, or its success cannot be written.
    """
    run_id = str(executor.parameters[RUN_ID_INPUT])
    with tracking_errors():
        session.load_context()
        run = JoinedRun(run_id, call.step, call.nodes, closes_on_failure=bool(call.settings.get("closes_on_failure")))
        run.begin()
    watch.on_node = run.node_starts
    # For processes that user code starts; a run that is active in this one goes before it.
    os.environ["MLFLOW_RUN_ID"] = run_id
    try:
        with logged_metrics() as metrics:
            yield
    except BaseException as error:
        reason = error.__cause__ if isinstance(error.__cause__, Exception) else error
        run.fail(reason, watch.place_of(reason).node)
        raise
    with tracking_errors():
        run.succeed()
    for crossing in call.outputs:
        if crossing.how == "mlflow":
            executor.describe(crossing.artifact, metrics)
