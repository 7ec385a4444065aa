"""Ask Kubeflow Pipelines, from inside the cluster, which steps of a run have failed, and whether people have ended it.

KFP's exit task is told whether the steps failed, and not which; of a run that was terminated it is most often told that it
still runs, as a pod that is gone cannot report. ``GET /apis/v2beta1/runs/{run_id}`` tells it
(https://www.kubeflow.org/docs/components/pipelines/reference/api/kubeflow-pipeline-api-spec/).
With MLflow the steps say it themselves; without, this is the one way, where the cluster lets pods reach the API.
"""

from __future__ import annotations

import json
import logging
import os
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

from kedro_kubeflow import names
from kedro_kubeflow.runtime.without_redirects import send

ENDPOINT_ENV = "KF_PIPELINES_ENDPOINT"
TOKEN_PATH_ENV = "KF_PIPELINES_SA_TOKEN_PATH"  # noqa: S105 - the name of a variable
_ENDPOINT = "http://ml-pipeline.kubeflow.svc.cluster.local:8888"
_TOKEN = "/var/run/secrets/kubeflow/pipelines/token"  # noqa: S105 - a path
_SECONDS = 5
_NOT_STEPS = re.compile(r"(root|executor|exit-handler-\d+|.*-driver(\(\d+\))?)$")

_log = logging.getLogger(__name__)


def failed_tasks(run_id: str) -> list[str]:
    """The names of the tasks that failed; empty where the API does not answer, which is said in the log.

    On this machine there is none to ask, unless ``KF_PIPELINES_ENDPOINT`` names one.
    """
    run = _run(run_id)
    details = (run.get("run_details") or {}).get("task_details") or []
    failed = {str(task.get("display_name", "")) for task in details if task.get("state") == "FAILED"}
    own = {names.STEPS_GROUP, names.END_RUN, names.EXIT_PIPELINE, names.NOTIFY, str(run.get("display_name"))}
    return sorted(name for name in failed - own if name and not _NOT_STEPS.match(name))


def was_terminated(run_id: str) -> bool:
    """Whether the run is being, or was, terminated from outside; False where the API does not answer."""
    return _run(run_id).get("state") in ("CANCELING", "CANCELED")


def _run(run_id: str) -> dict[str, Any]:
    """The run as the API knows it; empty where it does not answer, or where there is none to ask."""
    endpoint = os.environ.get(ENDPOINT_ENV) or (_ENDPOINT if "KUBERNETES_SERVICE_HOST" in os.environ else "")
    if not endpoint:
        return {}
    try:
        return _get(f"{endpoint.rstrip('/')}/apis/v2beta1/runs/{quote(run_id, safe='')}")
    except (OSError, ValueError) as error:
        _log.warning("What became of the steps is not known: Kubeflow Pipelines does not tell (%s)", error)
        return {}


def _get(url: str) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{ENDPOINT_ENV} is no address with http:// or https://")
    request = urllib.request.Request(url, headers={"Accept": "application/json", **_authorization()})  # noqa: S310
    with send(request, timeout=_SECONDS) as answer:
        found = json.load(answer)
    if not isinstance(found, dict):
        raise ValueError("the answer is no JSON object")
    return found


def _authorization() -> dict[str, str]:
    token = Path(os.environ.get(TOKEN_PATH_ENV) or _TOKEN)
    return {"Authorization": f"Bearer {token.read_text('utf-8').strip()}"} if token.is_file() else {}
