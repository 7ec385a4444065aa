"""Close the pipeline's MLflow run: with success by the last task, or with whatever became of it by the exit task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.redaction import redacted
from kedro_kubeflow.tracking.status import (
    FINISHED,
    STEP_FAILED,
    STEP_RUNNING,
    STEP_TERMINATED,
    final_status,
    is_cancelled,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_KILLED = "the step's process was killed (out of memory, evicted or deleted)"
_NEVER_RAN = (
    "a step failed without a word: its pod did not start, or was gone before it could tell (see the Kubeflow run)"
)


def mark_success(mlflow: MlflowClient, run_id: str) -> None:
    """Close the run as FINISHED; every step has succeeded, so what an earlier attempt left as failed goes.

    The run of another owner is left open: that owner ends it.
    """
    tags.erase(mlflow, run_id, tags.FAILED_NODE, tags.ERROR)
    if not is_adopted(mlflow.get_run(run_id)):
        close(mlflow, run_id, FINISHED)


def finish(mlflow: MlflowClient, run: Run, *, state: str, error: str = "") -> str:
    """Write the final status of a run whose pipeline has ended.

    Args:
        state: KFP's ``PipelineTaskFinalStatus.state`` of the group of steps; see ``final_status``.
        error: its message, where the backend gives one.

    Returns:
        The status that the run has now, or that it will be given by whoever owns it.
    """
    run_id, known = run.info.run_id, run.data.tags
    steps = tags.steps_in(known)
    status = final_status(state, steps.values(), marked=known.get(tags.FINAL_STATUS) == FINISHED)
    if status == FINISHED:
        mark_success(mlflow, run_id)
        return status
    if unsaid := _unsaid(known, steps, state, error):
        tags.write(mlflow, run_id, unsaid)
    if not is_adopted(run):
        close(mlflow, run_id, status)
    return status


def close(mlflow: MlflowClient, run_id: str, status: str) -> None:
    """End the run. The tag comes first: a step that is still on its way out reads it and leaves the run like that."""
    tags.write(mlflow, run_id, {tags.FINAL_STATUS: status})
    mlflow.set_terminated(run_id, status)


def is_adopted(run: Run) -> bool:
    """Whether the run was made by, and is ended by, somebody else."""
    return bool(run.data.tags.get(tags.ADOPTED) == "true")


def _unsaid(known: Mapping[str, str], steps: Mapping[str, str], state: str, error: str) -> dict[str, str]:
    """What steps that were killed, or never ran, could not write: which they were, and why."""
    cancelled = is_cancelled(state)
    lost = {key: value for key, value in steps.items() if value.startswith(STEP_RUNNING)}
    said = dict.fromkeys(lost, STEP_TERMINATED if cancelled else f"{STEP_FAILED} (killed)")
    if cancelled or tags.FAILED_NODE in known:
        return said
    if lost:
        nodes = [value.removeprefix(STEP_RUNNING).strip() for value in lost.values()]
        said[tags.FAILED_NODE] = ", ".join(sorted(filter(None, nodes)) or sorted(map(_step, lost)))
    said[tags.ERROR] = " ".join(redacted(error).split()) or (_KILLED if lost else _NEVER_RAN)
    return {key: tags.shorten(value) for key, value in said.items()}


def _step(key: str) -> str:
    return key.removeprefix(tags.STEP_PREFIX)
