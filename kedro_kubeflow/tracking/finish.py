"""Close the pipeline's MLflow run: with success by the last step, or with whatever became of it by the exit task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.redaction import redacted
from kedro_kubeflow.tracking.status import (
    FAILED,
    FINISHED,
    KILLED,
    STEP_FAILED,
    STEP_RUNNING,
    STEP_TERMINATED,
    Heard,
    final_status,
    first_word,
    is_success,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

TOLD_TO_END = "the step was told to end (timeout, deadline, eviction or deletion)"
_TOLD_TO_END_BY_SOMEBODY = (
    "the step was told to end (timeout, deadline, eviction or deletion; or somebody ended the run: Kubeflow Pipelines could not "
    "be asked)"
)
_LOST = "the step ended without a word: its process or its pod is gone (out of memory, or lost), or it could not reach MLflow"
_NEVER_RAN = (
    "a step failed without a word: its pod did not start, or was gone before it could tell (see the Kubeflow run)"
)
_NOT_SURE = (
    "each step says that it has succeeded, and Kubeflow Pipelines does not confirm it: if the Kubeflow run has succeeded, "
    "`kedro kubeflow status RUN --repair` says so here too"
)


def mark_success(mlflow: MlflowClient, run: Run) -> None:
    """Close a run as FINISHED; every step has succeeded, so what an earlier attempt left as failed goes.

    The run of another owner is left open: that owner ends it.
    """
    known = run.data.tags
    said = [key for key in known if key.startswith(tags.STEP_ERROR_PREFIX)]
    stale = [key for key in (tags.FAILED_NODE, tags.ERROR, *said) if key in known]
    if not is_adopted(run):
        close(mlflow, run.info.run_id, FINISHED)
    tags.drop(mlflow, run.info.run_id, *stale)


def finish(mlflow: MlflowClient, run: Run, heard: Heard) -> str:
    """Write the final status of a run whose pipeline has ended.

    Returns:
        The status that the run has now, or that it will be given by whoever owns it.
    """
    run_id, known = run.info.run_id, run.data.tags
    left = is_success(heard.state) and unfinished(run)
    status = FAILED if left else final_status(heard, known.get(tags.FINAL_STATUS))
    if status == FINISHED:
        mark_success(mlflow, run)
        return status
    said, stale = _words(known, status, heard)
    if not is_adopted(run):
        said[tags.FINAL_STATUS] = status
    if said:
        tags.write(mlflow, run_id, said)
    if not is_adopted(run):
        mlflow.set_terminated(run_id, status)
    tags.drop(mlflow, run_id, *stale)
    return status


def unfinished(run: Run) -> list[str]:
    """The steps that have begun and not said how they ended.

    Where Kubeflow takes all for success, something has ended their processes with exit code 0 in the middle.
    """
    steps = tags.steps_in(run.data.tags)
    return sorted(_step(key) for key, value in steps.items() if first_word(value) == STEP_RUNNING)


def close(mlflow: MlflowClient, run_id: str, status: str) -> None:
    """End the run. The tag comes first: a step that is still on its way out reads it and leaves the run like that."""
    tags.write(mlflow, run_id, {tags.FINAL_STATUS: status})
    mlflow.set_terminated(run_id, status)


def is_adopted(run: Run) -> bool:
    """Whether the run was made by, and is ended by, somebody else."""
    return bool(run.data.tags.get(tags.ADOPTED) == "true")


def _words(known: Mapping[str, str], status: str, heard: Heard) -> tuple[dict[str, str], list[str]]:
    """The tags to write for steps that could not say what became of them, and those that no longer hold.

    What a step said of a failure holds as long as its state is failed: it may have run again since, and been killed.
    """
    steps = tags.steps_in(known)
    words = {key: first_word(value) for key, value in steps.items()}
    lost = [key for key, word in words.items() if word == STEP_RUNNING]
    told = [key for key, word in words.items() if word == STEP_TERMINATED]
    failed = STEP_FAILED in words.values()
    blame = [key for key in (tags.FAILED_NODE, tags.ERROR) if key in known and not failed]
    if status == KILLED:
        return dict.fromkeys(lost, STEP_TERMINATED), blame
    reason = TOLD_TO_END if heard.asked else _TOLD_TO_END_BY_SOMEBODY
    said = dict.fromkeys(lost, f"{STEP_FAILED} (without a word)")
    said |= {tags.error_key(key): _LOST for key in lost} | {tags.error_key(key): reason for key in told}
    if not failed or tags.FAILED_NODE not in known:
        said |= _blamed(steps, lost or told)
        backend = " ".join(redacted(heard.error).split())
        nothing = _NOT_SURE if steps and not (lost or told or failed) else _NEVER_RAN
        said[tags.ERROR] = backend or (_LOST if lost else reason if told else nothing)
    return said, [key for key in blame if key not in said]


def _blamed(steps: Mapping[str, str], culprits: list[str]) -> dict[str, str]:
    """The nodes that ran in steps that were lost or told to end; where no node did, the steps."""
    if not culprits:
        return {}
    nodes = [_node(steps[key]) for key in culprits]
    return {tags.FAILED_NODE: ", ".join(sorted(filter(None, nodes)) or sorted(map(_step, culprits)))}


def _node(value: str) -> str:
    if first_word(value) == STEP_RUNNING:
        return value.removeprefix(STEP_RUNNING).strip()
    return value.partition(": ")[2]


def _step(key: str) -> str:
    return key.removeprefix(tags.STEP_PREFIX)
