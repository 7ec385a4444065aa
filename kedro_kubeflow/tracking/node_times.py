"""How long nodes took, as the steps of pipeline runs have said it in MLflow."""

from __future__ import annotations

from kedro_kubeflow.project.node_times import Timed, newest, times_in
from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.plain_requests import PlainRequests

_LOOKED_AT = 10


def told_node_times(mlflow: PlainRequests, experiment: str) -> dict[str, Timed]:
    """The time of each node, from the newest pipeline run of an experiment that knows it.

    Raises:
        Exception: whatever ``PlainRequests`` raises.
    """
    known = mlflow.get("experiments/get-by-name", experiment_name=experiment).get("experiment")
    if known is None:
        return {}
    query = {
        "experiment_ids": [known["experiment_id"]],
        "filter": f"tags.{tags.RUN_ID} LIKE '%'",
        "order_by": ["attributes.start_time DESC"],
        "max_results": _LOOKED_AT,
    }
    runs = mlflow.post("runs/search", query).get("runs") or []
    said = (tag for run in runs for tag in run["data"].get("tags") or [])
    return newest(times_in(tag["value"]) for tag in said if tag["key"].startswith(tags.STEP_TIMES_PREFIX))
