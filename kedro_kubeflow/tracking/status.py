"""What became of a pipeline run: the statuses of an MLflow run, and how the final one is decided."""

from __future__ import annotations

from collections.abc import Iterable

FAILED, FINISHED, KILLED, RUNNING = "FAILED", "FINISHED", "KILLED", "RUNNING"

# The first word of a step's tag.
STEP_FAILED, STEP_RUNNING, STEP_SUCCEEDED, STEP_TERMINATED = "failed", "running", "succeeded", "terminated"


def is_cancelled(state: str) -> bool:
    """Whether KFP says that people have stopped the pipeline; Kubeflow writes one L, Vertex AI two."""
    return state.upper() in ("CANCELED", "CANCELLED")


def final_status(state: str, steps: Iterable[str], *, marked: bool = False) -> str:
    """The final status of the MLflow run, from KFP's word and the steps' own.

    KFP's word alone is not enough: on Kubeflow the state stays RUNNING when a pod is gone before its launcher can report.

    Args:
        state: ``PipelineTaskFinalStatus.state`` of the group of steps
            (https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/control-flow/). On Kubeflow it is
            COMPLETE, FAILED, CANCELED or RUNNING; on Vertex AI and on this machine SUCCEEDED, FAILED or CANCELLED.
        steps: the values of the steps' tags, such as ``succeeded in 3.2 s``.
        marked: whether the last task has written that every step succeeded.

    >>> final_status("RUNNING", ["succeeded in 1.0 s"], marked=True)
    'FINISHED'
    >>> final_status("CANCELED", [])
    'KILLED'
    >>> final_status("RUNNING", ["running train"])
    'FAILED'
    """
    states = {value.split(" ")[0].rstrip(":") for value in steps}
    if marked:
        return FINISHED
    if is_cancelled(state):
        return KILLED
    if STEP_FAILED in states:
        return FAILED
    if STEP_TERMINATED in states:
        return KILLED
    succeeded = state.upper() in ("SUCCEEDED", "COMPLETE") and STEP_RUNNING not in states
    return FINISHED if succeeded else FAILED
