"""What became of a pipeline run: the statuses of an MLflow run, and how the final one is decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FAILED, FINISHED, KILLED, RUNNING = "FAILED", "FINISHED", "KILLED", "RUNNING"

# The first word of a step's tag.
STEP_FAILED, STEP_RUNNING, STEP_SUCCEEDED, STEP_TERMINATED = "failed", "running", "succeeded", "terminated"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What is heard of a run's end, beside the steps' own tags.

    Attributes:
        state: ``PipelineTaskFinalStatus.state`` of the group of steps
            (https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/control-flow/). On Kubeflow it is
            COMPLETE, FAILED or RUNNING, and only COMPLETE can be believed: the others also come after a retry that went
            well. On Vertex AI and on this machine it is SUCCEEDED, FAILED or CANCELLED.
        error: its message, where the backend gives one.
        cancelled: whether KFP's API says that somebody has ended the run.
        succeeded: whether KFP's API says that every step has succeeded.
        asked: whether that API has answered.
        marked: whether a task of its own, and no step, writes that every step succeeded.
    """

    state: str = ""
    error: str = ""
    cancelled: bool = False
    succeeded: bool = False
    asked: bool = False
    marked: bool = False


def is_success(state: str) -> bool:
    """Whether a backend's word means that every step has succeeded."""
    return state.upper() in ("SUCCEEDED", "COMPLETE")


def is_cancelled(state: str) -> bool:
    """Whether KFP says that people have stopped the pipeline; Kubeflow writes one L, Vertex AI two."""
    return state.upper() in ("CANCELED", "CANCELLED")


def first_word(value: str) -> str:
    """A step's state, from its tag's value.

    >>> first_word("failed after 1.0 s: ValueError")
    'failed'
    """
    return value.split(" ")[0].rstrip(":")


def all_succeeded(steps: Iterable[str], number: int | None) -> bool:
    """Whether every step says that it has succeeded.

    Args:
        steps: the values of the steps' tags.
        number: how many steps there are; None where nobody knows, and then nobody can say.
    """
    words = [first_word(value) for value in steps]
    return len(words) == number and set(words) == {STEP_SUCCEEDED}


def final_status(heard: Heard, final: str | None = None) -> str:
    """The final status of the MLflow run.

    A wrong FINISHED is worse than a wrong FAILED: what no one knows for sure has failed.

    Args:
        final: the status that was written as the final one before, as by the task that marks success.

    >>> final_status(Heard(state="RUNNING", marked=True), final="FINISHED")
    'FINISHED'
    >>> final_status(Heard(state="RUNNING", cancelled=True))
    'KILLED'
    >>> final_status(Heard(state="RUNNING"), final="FINISHED")
    'FAILED'
    """
    if is_success(heard.state) or (heard.marked and final == FINISHED):
        return FINISHED
    if heard.cancelled or is_cancelled(heard.state):
        return KILLED
    return FINISHED if heard.succeeded else FAILED
