"""The steps of a job, read out of what Vertex AI tells of its tasks.

It tells of groups and of the job as a whole as tasks too, and not of tasks that have not begun; which of them are steps,
only the pipeline's spec says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kedro_kubeflow.targets.base.run import State, Step, state_of
from kedro_kubeflow.targets.base.spec import ordered_steps


@dataclass(frozen=True, kw_only=True)
class JobStep(Step):
    """A step of a job.

    Attributes:
        custom_job: the id of the machine's job that runs it, by which its log is found; empty before.
    """

    custom_job: str = ""


def steps_of(spec: Mapping[str, Any], details: Iterable[Any]) -> tuple[JobStep, ...]:
    """Every step of a job's pipeline, in an order in which they can run.

    Args:
        spec: the pipeline's spec as plain values.
        details: ``PipelineTaskDetail`` messages.
    """
    latest: dict[str, Any] = {}
    for detail in sorted(details, key=lambda d: d.task_id):
        latest[detail.task_name] = detail
    return tuple(_step(name, shown, latest.get(name)) for name, shown in ordered_steps(spec))


def job_state(name: str) -> State:
    """The state behind Vertex AI's name for it, such as ``PIPELINE_STATE_CANCELLED``."""
    return state_of(name.removeprefix("PIPELINE_STATE_"), "PENDING")


def _step(name: str, display_name: str, detail: Any) -> JobStep:
    if detail is None:
        return JobStep(name=name, display_name=display_name, state="WAITING")
    return JobStep(
        name=name,
        display_name=display_name,
        state=job_state(detail.state.name),
        started_at=detail.start_time,
        finished_at=detail.end_time,
        error=" ".join(detail.error.message.split()) or None if detail.error else None,
        custom_job=detail.executor_detail.container_detail.main_job.rpartition("/")[2],
    )
