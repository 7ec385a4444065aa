"""The MLflow plugin of Kubeflow Pipelines itself (KFP 2.17): its run of the whole pipeline, adopted or ignored.

Where an administrator has switched it on, the API server makes one MLflow run for a pipeline run and ends it; each task gets a
nested run below it. The pods find all of it as JSON in ``KFP_MLFLOW_CONFIG``, and, if that is switched on as well, their own
nested run in ``MLFLOW_RUN_ID`` (kubeflow/pipelines, ``backend/src/common/plugins/mlflow``).
"""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

from kedro_kubeflow.errors import TrackingError
from kedro_kubeflow.tracking.experiment import every_experiment
from kedro_kubeflow.tracking.lookup import find_runs
from kedro_kubeflow.tracking.server import shown

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

CONFIG_ENV = "KFP_MLFLOW_CONFIG"
PIPELINE_RUN_TAG = "kfp.pipeline_run_id"

_log = logging.getLogger(__name__)


def drop_task_run() -> None:
    """Forget the run that this process was given for itself: the pipeline's run is joined by its id instead.

    The server's address stays, since it may be the only one that there is.
    """
    os.environ.pop("MLFLOW_RUN_ID", None)
    if CONFIG_ENV in os.environ:
        os.environ.pop("MLFLOW_EXPERIMENT_ID", None)


def run_to_adopt(mlflow: MlflowClient, how: str, job_id: str) -> Run | None:
    """The run that KFP has made for this pipeline run; None where there is none, or where it is to be ignored.

    Args:
        how: ``run_config.mlflow.kfp_native``: auto, adopt or ignore.
        job_id: the Kubeflow run's id.

    Raises:
        TrackingError: it is to be adopted, and not on the server that the steps use.
    """
    config = _config()
    if how == "ignore" or (how == "auto" and not config):
        return None
    found = _find(mlflow, str(config.get("parentRunId") or ""), job_id)
    if found is not None:
        return found
    place = shown(str(config.get("endpoint") or "")) or "unknown"
    if how == "auto":
        _log.warning(
            "The MLflow run of Kubeflow Pipelines (server: %s) is not on this server: a new one is made", place
        )
        return None
    raise TrackingError(
        "run_config.mlflow.kfp_native is `adopt`, and Kubeflow Pipelines has no MLflow run of this pipeline run here",
        where=f"the server of its MLflow plugin: {place}",
        cure="switch the plugin on in the API server, let mlflow.yml name the same server, or set kfp_native to `auto`",
    )


def _config() -> dict[str, Any]:
    text = os.environ.get(CONFIG_ENV, "")
    try:
        config = json.loads(text or "{}")
    except ValueError:
        config = None
    if isinstance(config, dict):
        return config
    _log.warning("%s is not a JSON object; it is not used", CONFIG_ENV)
    return {}


def _find(mlflow: MlflowClient, run_id: str, job_id: str) -> Run | None:
    from mlflow.exceptions import MlflowException

    if run_id:
        try:
            return mlflow.get_run(run_id)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
    found = find_runs(mlflow, every_experiment(mlflow), {PIPELINE_RUN_TAG: job_id})
    return found[0] if found else None
