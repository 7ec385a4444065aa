"""Start, mark, finish: what is done to the MLflow run from outside of it, through ``MlflowClient`` alone.

A fluent ``mlflow.start_run`` would be ended by MLflow's own exit handler as FINISHED, whatever happened
(https://mlflow.org/docs/latest/api_reference/python_api/mlflow.client.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kedro_kubeflow.errors import TrackingError
from kedro_kubeflow.tracking import tags

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

FAILED, FINISHED, KILLED, RUNNING = "FAILED", "FINISHED", "KILLED", "RUNNING"


@contextmanager
def tracking_errors() -> Iterator[None]:
    """Turn what MLflow raises into an error that names the server."""
    import mlflow
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    try:
        yield
    except (MlflowException, RequestException) as error:
        refused = any(mark in str(error) for mark in ("401", "403", "UNAUTHENTICATED", "PERMISSION_DENIED"))
        raise TrackingError(
            f"MLflow refuses the request: {tags.one_line(error)}"
            if refused
            else f"MLflow cannot be used: {tags.one_line(error)}",
            where=mlflow.get_tracking_uri(),
            cure="check the credentials and the request header provider in mlflow.yml"
            if refused
            else "check that the server is up and that steps can reach it under this address",
        ) from error


def client() -> MlflowClient:
    """A client of the tracking server that the process is set up for."""
    from mlflow import MlflowClient

    return MlflowClient()


def start_run(
    mlflow: MlflowClient, *, experiment_id: str, name: str, correlation: Mapping[str, str], more: Mapping[str, str]
) -> str:
    """The id of the pipeline run's one MLflow run; made if it is not there.

    Safe to execute twice, also at the same time: the earliest run with the correlation tags is the one, and a run that was
    made too late is deleted.

    Args:
        correlation: the tags that say which pipeline run it is; the first is searched for.
        more: further tags of a new run.
    """
    found = find_runs(mlflow, [experiment_id], correlation)
    if found:
        reopen(mlflow, found[0])
        return str(found[0].info.run_id)
    made = mlflow.create_run(experiment_id, run_name=name, tags={**correlation, **more})
    found = find_runs(mlflow, [experiment_id], correlation)
    if found and found[0].info.run_id != made.info.run_id:
        mlflow.delete_run(made.info.run_id)
        return str(found[0].info.run_id)
    return str(made.info.run_id)


def reopen(mlflow: MlflowClient, run: Run) -> None:
    """Take back a final status: the pipeline runs again after a retry."""
    if tags.FINAL_STATUS in run.data.tags:
        mlflow.delete_tag(run.info.run_id, tags.FINAL_STATUS)
    if run.info.status != RUNNING:
        mlflow.update_run(run.info.run_id, status=RUNNING)


def find_runs(mlflow: MlflowClient, experiment_ids: list[str], correlation: Mapping[str, str]) -> list[Run]:
    """The runs that carry the first correlation tag, earliest first."""
    key, value = next(iter(correlation.items()))
    quoted = value.replace("'", "")
    found = mlflow.search_runs(experiment_ids, filter_string=f"tags.`{key}` = '{quoted}'", max_results=100)
    return sorted(found, key=lambda run: (run.info.start_time, run.info.run_id))


def mark_success(mlflow: MlflowClient, run_id: str) -> None:
    """Close the run as FINISHED; every step has succeeded, so what an earlier attempt left as failed goes."""
    known = mlflow.get_run(run_id).data.tags
    for key in (tags.FAILED_NODE, tags.ERROR):
        if key in known:
            mlflow.delete_tag(run_id, key)
    if known.get(tags.ADOPTED) == "true":
        return
    mlflow.set_tag(run_id, tags.FINAL_STATUS, FINISHED)
    mlflow.set_terminated(run_id, FINISHED)


def finish(mlflow: MlflowClient, run: Run, *, state: str, error: str = "") -> str:
    """Write the final status of a run whose pipeline has ended, unless it is already closed as FINISHED.

    Args:
        state: KFP's ``PipelineTaskFinalStatus.state`` of the group of steps. On Kubeflow it is COMPLETE, FAILED, CANCELED or
            still RUNNING (after a kill); on Vertex AI SUCCEEDED, FAILED or CANCELLED.
        error: its message, where the backend gives one.

    Returns:
        The status that the run has now.
    """
    known = run.data.tags
    if known.get(tags.FINAL_STATUS) == FINISHED:
        return FINISHED
    steps = {key.removeprefix(tags.STEP_PREFIX): v for key, v in known.items() if key.startswith(tags.STEP_PREFIX)}
    status = final_status(state, steps)
    if status == FINISHED:
        mark_success(mlflow, run.info.run_id)
        return FINISHED
    for key, value in _unsaid(known, steps, state, error).items():
        mlflow.set_tag(run.info.run_id, key, value)
    if known.get(tags.ADOPTED) != "true":
        mlflow.set_tag(run.info.run_id, tags.FINAL_STATUS, status)
        mlflow.set_terminated(run.info.run_id, status)
    return status


def final_status(state: str, steps: Mapping[str, str]) -> str:
    """What became of the pipeline, from KFP's word and the steps' own.

    >>> final_status("CANCELED", {})
    'KILLED'
    >>> final_status("RUNNING", {"train": "running"})
    'FAILED'
    """
    states = {value.split(" ")[0] for value in steps.values()}
    if state.upper() in ("CANCELED", "CANCELLED"):
        return KILLED
    if "failed" in states or state.upper() == "FAILED":
        return FAILED
    if "terminated" in states:
        return KILLED
    return FINISHED if state.upper() in ("SUCCEEDED", "COMPLETE") else FAILED


def _unsaid(known: Mapping[str, str], steps: Mapping[str, str], state: str, error: str) -> dict[str, str]:
    """What a step that was killed could not write: which it was, and why."""
    said: dict[str, str] = {}
    lost = sorted(step for step, value in steps.items() if value.startswith("running"))
    for step in lost:
        said[tags.step_key(step)] = "terminated" if state.upper().startswith("CANCEL") else "failed (killed)"
    if tags.FAILED_NODE not in known and lost and not state.upper().startswith("CANCEL"):
        said[tags.FAILED_NODE] = ", ".join(lost)
        said[tags.ERROR] = tags.shorten(error) or "the step's process was killed (out of memory, evicted or deleted)"
    return said


def experiment(mlflow: MlflowClient, name: str) -> str:
    """The id of an experiment; made if it is missing, restored if it was deleted, as kedro-mlflow does."""
    from mlflow.exceptions import MlflowException

    found: Any = mlflow.get_experiment_by_name(name)
    if found is None:
        try:
            return str(mlflow.create_experiment(name))
        except MlflowException:
            # Another process made it in between; if it is still not there, that error is the one to show.
            found = mlflow.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        mlflow.restore_experiment(found.experiment_id)
    return str(found.experiment_id)
