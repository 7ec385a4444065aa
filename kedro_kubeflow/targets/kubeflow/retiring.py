"""Taking a schedule away without its runs in progress.

KFP's ScheduledWorkflow owns the Workflows that it has started: with it they are deleted, whatever they are at. Their runs then
stay RUNNING for ever, in Kubeflow and in MLflow, and no exit task runs. So a schedule whose runs have not ended is switched off,
and taken away later.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.recurring_runs import RecurringRun
from kedro_kubeflow.targets.kubeflow.runs import Run


@dataclass(frozen=True)
class Retired:
    """What became of a schedule that is to go.

    Attributes:
        deleted: else it is switched off, and goes the next time.
        runs: those of its runs that have not ended; where it was deleted, they have ended with it.
    """

    schedule: RecurringRun
    deleted: bool
    runs: tuple[Run, ...] = ()


def retire(client: KubeflowClient, schedule: RecurringRun, *, force: bool = False) -> Retired:
    """Delete a schedule, or switch it off where runs of it have not ended.

    Args:
        force: delete it at once, which ends them.

    Raises:
        AuthError, ServerError: and then it is as it was.
    """
    # Switched off first, so that no run begins between the look and the deletion.
    if schedule.enabled:
        client.recurring_runs.disable(schedule.id)
    runs = tuple(client.runs.unfinished_of(schedule.id, schedule.experiment_id))
    if runs and not force:
        return Retired(schedule, deleted=False, runs=runs)
    client.recurring_runs.delete(schedule.id)
    return Retired(schedule, deleted=True, runs=runs)


def retire_all(client: KubeflowClient, schedules: Iterable[RecurringRun], *, force: bool = False) -> list[Retired]:
    """The same for several."""
    return [retire(client, schedule, force=force) for schedule in schedules]


def unfinished(client: KubeflowClient, schedule: RecurringRun) -> tuple[Run, ...]:
    """The runs of a schedule that have not ended; nothing is changed."""
    return tuple(client.runs.unfinished_of(schedule.id, schedule.experiment_id))
