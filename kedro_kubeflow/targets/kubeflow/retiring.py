"""Taking a schedule away without its runs in progress.

KFP's ScheduledWorkflow owns the Workflows that it has started: with it they are deleted, whatever they are at. Their runs then
stay RUNNING for ever, in Kubeflow and in MLflow, and no exit task runs. So a schedule whose runs have not ended is switched off,
and taken away later.
"""

from __future__ import annotations

from kedro_kubeflow.targets.base.schedule import Retired
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.recurring_runs import RecurringRun


def retire(client: KubeflowClient, schedule: RecurringRun, *, force: bool = False) -> Retired:
    """Delete a schedule, or switch it off where runs of it have not ended.

    Args:
        force: delete it at once, which ends them.

    Raises:
        AuthError, ServerError: and then it is switched off at most.
    """
    # Switched off first, so that no run begins between the look and the deletion.
    if schedule.enabled:
        client.recurring_runs.disable(schedule.id)
    runs = tuple(client.runs.unfinished_of(schedule.id, schedule.experiment_id))
    if runs and not force:
        return Retired(schedule, deleted=False, runs=runs)
    client.recurring_runs.delete(schedule.id)
    return Retired(schedule, deleted=True, runs=runs)
