"""The step's part of the pipeline's MLflow run: join it, tell it what runs, give KFP the metrics that were logged."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from kedro_kubeflow.contract import JOB_ID_INPUT, JOB_NAME_INPUT, LOCAL_ENV, RUN_ID_ENV, RUN_ID_INPUT, StepCall
from kedro_kubeflow.errors import TrackingError
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.runtime import termination
from kedro_kubeflow.runtime.attempts import Attempts
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.frame import configured, correlation, experiment_name
from kedro_kubeflow.runtime.kubeflow_api import ENDPOINT_ENV, was_cancelled
from kedro_kubeflow.runtime.made import artifacts_made
from kedro_kubeflow.runtime.session import session_for, tracked_context
from kedro_kubeflow.runtime.termination import is_termination
from kedro_kubeflow.runtime.vertex import job_of, on_vertex
from kedro_kubeflow.runtime.watch import Watch
from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.joined import JoinedRun
from kedro_kubeflow.tracking.logged import StepLog
from kedro_kubeflow.tracking.lookup import find_anywhere
from kedro_kubeflow.tracking.server import client, tracking_errors

if TYPE_CHECKING:
    from mlflow.entities import Run


@contextmanager
def tracked_step(call: StepCall, executor: Executor, session: Any, watch: Watch) -> Iterator[None]:
    """Run a block inside the pipeline's MLflow run, then write the executor output.

    Raises:
        TrackingError: the run cannot be joined, or its success cannot be written.
    """
    attempts = Attempts.of(call)
    run = _joined(call, executor, session)
    last_words = partial(run.told_to_end, _was_cancelled)
    termination.at_termination(last_words)
    watch.on_node = run.node_starts
    watch.around_start = lambda params: _tags_of_the_pipeline_alone(run.log, params)
    try:
        with run.log.recording():
            yield
        for artifact in call.outputs:
            if artifact.how == "mlflow":
                executor.describe(artifact.name, run.log.metrics)
        # Before anybody says that the step has succeeded.
        executor.write()
        with tracking_errors():
            run.succeed(watch.times.text(), {**_addresses(call, executor), **_logged(call, run.log)})
    except (termination.Terminated, KeyboardInterrupt) as error:
        _told_to_end(run, last_words, error)
        raise
    except BaseException as error:
        reason = error.__cause__ if isinstance(error.__cause__, Exception) else error
        node = watch.place_of(reason).node
        run.fail(error, reason=reason, node=node, times=watch.times.text(), again=attempts.again)
        raise
    termination.at_termination(None)


def _addresses(call: StepCall, executor: Executor) -> dict[str, str]:
    """Tag → where what the step has stored lies; and how large it is, where one tag takes that."""
    made = artifacts_made(call, executor)
    sizes = json.dumps({artifact.dataset: artifact.size for artifact in made}, ensure_ascii=False)
    told = {tags.sizes_key(tags.step_key(call.step)): sizes} if made and len(sizes) <= tags.MAX_VALUE else {}
    return {**{tags.artifact_key(artifact.dataset): artifact.uri for artifact in made}, **told}


def _logged(call: StepCall, log: StepLog) -> dict[str, str]:
    """Tags → what the step has logged, for a run that goes on from this one."""
    key = tags.logged_key(tags.step_key(call.step))
    return {tags.numbered(key, n): text for n, text in enumerate(log.keys(tags.MAX_VALUE), 1)}


def _told_to_end(run: JoinedRun, last_words: Callable[[], None], error: BaseException) -> None:
    """The same words from here, where no thread could say them; whoever comes second waits for the first."""
    if isinstance(error, KeyboardInterrupt):
        # Only people press keys.
        run.told_to_end(lambda: True)
    last_words()
    run.leave()


def _was_cancelled() -> bool | None:
    """Whether somebody has ended the run that this step belongs to; None where nobody can be asked."""
    job_id = os.environ.get(RUN_ID_ENV)
    if LOCAL_ENV in os.environ and not os.environ.get(ENDPOINT_ENV):
        # On this machine nothing else ends a step.
        return True
    return was_cancelled(job_id) if job_id else None


@contextmanager
def told_if_it_fails(call: StepCall, executor: Executor, project: OpenProject) -> Iterator[None]:
    """Say in the MLflow run that the step failed, also if that is before it could join: its code does not import, say."""
    try:
        yield
    except BaseException as error:
        try:
            with session_for(project) as session:
                run = _run_of(call, executor, tracked_context(session))
            if is_termination(error):
                run.told_to_end(_was_cancelled)
            else:
                run.fail(error, reason=error, node=None, again=Attempts.of(call).again)
        except Exception:
            logging.getLogger(__name__).exception("The failure could not be written to the MLflow run")
        raise


def _joined(call: StepCall, executor: Executor, session: Any) -> JoinedRun:
    with tracking_errors():
        run = _run_of(call, executor, tracked_context(session))
        run.begin()
    return run


def _run_of(call: StepCall, executor: Executor, context: Any) -> JoinedRun:
    return JoinedRun(
        _run(call, executor, context),
        call.step,
        call.nodes,
        # kedro-mlflow logs to a run that is active already; without it, user code finds the run by itself.
        activate=hasattr(context, "mlflow"),
        closes_on_failure=bool(call.settings.get("closes_on_failure")),
        at_exit=bool(call.settings.get("at_exit")),
    )


def _run(call: StepCall, executor: Executor, context: Any) -> Run:
    """The pipeline's MLflow run: the one that is named, else the one that carries the pipeline run's id.

    No step is given its id as an input of its own: that would stand in Argo's workflow nine times, and be part of a cache key.
    """
    mlflow = client()
    if named := executor.parameters.get(RUN_ID_INPUT) or configured(context, "run", "id"):
        return mlflow.get_run(str(named))
    known = _known_by(executor)
    if not known:
        raise TrackingError(
            "The step cannot find its MLflow run: its pod does not know which pipeline run it belongs to",
            where=f"environment variable {RUN_ID_ENV}, and where the outputs of the step go",
            cure="Kubeflow Pipelines sets the variable from a label of the pod, or puts outputs to …/PIPELINE/RUN ID/STEP/…; "
            "check that its version is one that kedro-kubeflow knows",
        )
    found = find_anywhere(mlflow, experiment_name(call, context), known)
    if not found:
        raise TrackingError(
            f"No MLflow run belongs to the run {next(iter(known.values()))}",
            cure="run the whole pipeline again: its first task opens one",
        )
    return found[0]


def _known_by(executor: Executor) -> dict[str, str]:
    """The tags by which the MLflow run is known; a cached step knows its job on Vertex AI by name alone."""
    job_id = executor.parameters.get(JOB_ID_INPUT) if on_vertex() else os.environ.get(RUN_ID_ENV)
    if job_id:
        return correlation(str(job_id), executor.parameters)
    job_name = (executor.parameters.get(JOB_NAME_INPUT) or job_of(executor)) if on_vertex() else None
    return {tags.VERTEX_JOB_NAME: str(job_name)} if job_name else {}


def _tags_of_the_pipeline_alone(log: StepLog, params: Mapping[str, Any]) -> AbstractContextManager[None]:
    """Let kedro-mlflow not write the step's own run parameters (its nodes, its command) over those of the pipeline.

    The start task has written the pipeline's.
    """
    return log.leaving_out({**{key: str(value) for key, value in params.items()}, "kedro_command": None})
