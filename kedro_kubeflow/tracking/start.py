"""Open the pipeline's one MLflow run: safe to execute twice, also at the same second.

Everything goes through ``MlflowClient``: a fluent ``mlflow.start_run`` would be ended by MLflow's own exit handler as
FINISHED, whatever happened (https://mlflow.org/docs/latest/api_reference/python_api/mlflow.client.html).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.lookup import find_runs, is_chosen
from kedro_kubeflow.tracking.status import RUNNING

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

# How long a start task that has met another one waits for it to finish its choice.
SETTLE_SECONDS = 3.0


def start_run(
    mlflow: MlflowClient, *, experiment_id: str, name: str, correlation: Mapping[str, str], more: Mapping[str, str]
) -> str:
    """The id of the pipeline run's one MLflow run; made if it is not there.

    A new run carries the correlation alone. Whoever then finds no other takes it, by writing the further tags; whoever
    finds another waits for that, and drops its own. As each makes its run before it looks, two cannot both find none.

    Args:
        correlation: the tags that say which pipeline run it is; the first is searched for.
        more: further tags of the run, ``tags.PIPELINE`` among them.
    """
    found = find_runs(mlflow, [experiment_id], correlation)
    if not found:
        made = mlflow.create_run(experiment_id, run_name=name, tags=dict(correlation))
        found = find_runs(mlflow, [experiment_id], correlation) or [made]
    deadline = time.monotonic() + SETTLE_SECONDS
    while len(found) > 1 and not is_chosen(found[0]) and time.monotonic() < deadline:
        time.sleep(0.2)
        found = find_runs(mlflow, [experiment_id], correlation) or found
    take(mlflow, found[0], {**correlation, **more})
    for spare in found[1:]:
        if not is_chosen(spare):
            mlflow.delete_run(spare.info.run_id)
    return str(found[0].info.run_id)


def take(mlflow: MlflowClient, run: Run, written: Mapping[str, str]) -> None:
    """Make a run the pipeline's: take back what an earlier end has written, then write the tags.

    Args:
        written: every tag; the first says which pipeline run it is.
    """
    run_id, known = run.info.run_id, run.data.tags
    key, value = next(iter(written.items()))
    stale = [tags.FINAL_STATUS]
    if known.get(key, value) != value:
        # The run was another pipeline run's before: nothing of that one's steps says anything of this one's.
        stale += [tags.FAILED_NODE, tags.ERROR, tags.EXIT_ERROR, *tags.of_steps(known)]
    tags.drop(mlflow, run_id, *(key for key in stale if key in known))
    if run.info.status != RUNNING:
        mlflow.update_run(run_id, status=RUNNING)
    tags.write(mlflow, run_id, written)
