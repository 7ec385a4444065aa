"""Ask Kubeflow Pipelines, from inside the cluster, what became of a run.

KFP's exit task is told whether the steps failed, and not which; of a run that was terminated it is most often told that it
still runs, as a pod that is gone cannot report. ``GET /apis/v2beta1/runs/{run_id}`` tells it
(https://www.kubeflow.org/docs/components/pipelines/reference/api/kubeflow-pipeline-api-spec/), where the cluster lets pods reach
the API. What it tells of tasks comes late, and not at all of a run with many of them.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
# How long what is told of tasks may lag behind, and how often it is asked for.
_SETTLE_SECONDS, _PAUSE = 20.0, 2.0
_ENDED = ("SUCCEEDED", "FAILED", "ERROR", "SKIPPED", "CANCELED")
_OWN = (names.STEPS_GROUP, names.END_RUN, names.EXIT_PIPELINE, names.NOTIFY)
_GROUP = re.compile(r"root|exit-handler-\d+")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KubeflowRun:
    """A run as the API tells it; empty where the API does not answer.

    Attributes:
        entry: the answer.
        spec: the compiled pipeline, where it is told too.
    """

    entry: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cancelled(self) -> bool:
        """Whether somebody has ended it, since it was started or retried last; it ends as FAILED all the same."""
        states = [str(s.get("state")) for s in self.entry.get("state_history") or ()]
        for state in reversed([*states, str(self.entry.get("state"))]):
            if state in ("CANCELING", "CANCELED"):
                return True
            if state in ("RUNNING", "PENDING"):
                break
        return False

    @property
    def group(self) -> str | None:
        """The state of the group of steps that the exit task watches; None where it is not told."""
        return next((state for name, state in self._tasks() if re.fullmatch(r"exit-handler-\d+", name)), None)

    @property
    def failed(self) -> list[str]:
        """The titles of the steps that failed: of all that Argo calls a node, those that are tasks of the pipeline."""
        failed = {name for name, state in self._tasks() if state == "FAILED"}
        titles = dict(_titles(self.spec.get("pipeline_spec", self.spec)))
        if not titles:
            # Each task has a node called after it for its driver.
            every = {name for name, _ in self._tasks()}
            titles = {name: name for name in failed if f"{name}-driver" in every and not _GROUP.fullmatch(name)}
        return sorted(titles[name] for name in failed if name in titles and name not in _OWN)

    def _tasks(self) -> Iterator[tuple[str, str]]:
        for task in (self.entry.get("run_details") or {}).get("task_details") or ():
            yield str(task.get("display_name", "")), str(task.get("state"))


def kubeflow_run(run_id: str, *, with_spec: bool = False) -> KubeflowRun:
    """Ask for a run. What goes wrong is said in the log.

    On this machine there is none to ask, unless ``KF_PIPELINES_ENDPOINT`` names one.

    Args:
        with_spec: whether its pipeline is asked for too, where the run itself does not hold it.
    """
    entry = _asked(f"runs/{quote(run_id, safe='')}")
    spec = entry.get("pipeline_spec") or {}
    version = entry.get("pipeline_version_reference") or {}
    if with_spec and not spec and version.get("pipeline_id") and version.get("pipeline_version_id"):
        place = f"pipelines/{version['pipeline_id']}/versions/{version['pipeline_version_id']}"
        spec = _asked(place).get("pipeline_spec") or {}
    return KubeflowRun(entry, spec)


def settled_run(run_id: str, *, with_spec: bool = False) -> KubeflowRun:
    """The same, when the group of steps has ended for the API too, or will not any more."""
    until = time.monotonic() + _SETTLE_SECONDS
    while True:
        run = kubeflow_run(run_id)
        if not run.entry or run.group in _ENDED or time.monotonic() > until:
            return kubeflow_run(run_id, with_spec=True) if run.entry and with_spec else run
        time.sleep(_PAUSE)


def was_cancelled(run_id: str) -> bool | None:
    """Whether somebody has ended the run; None where the API does not say."""
    run = kubeflow_run(run_id)
    return run.cancelled if run.entry else None


def _titles(ir: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The tasks of a compiled pipeline by their names in KFP, and what people call them."""
    dags = [ir.get("root") or {}, *(ir.get("components") or {}).values()]
    for dag in dags:
        for name, task in ((dag.get("dag") or {}).get("tasks") or {}).items():
            if not _GROUP.fullmatch(name):
                yield name, str((task.get("taskInfo") or {}).get("name") or name)


def _asked(place: str) -> dict[str, Any]:
    """What the API says; empty where it does not answer, or where there is none to ask."""
    endpoint = os.environ.get(ENDPOINT_ENV) or (_ENDPOINT if "KUBERNETES_SERVICE_HOST" in os.environ else "")
    if not endpoint:
        return {}
    try:
        return _get(f"{endpoint.rstrip('/')}/apis/v2beta1/{place}")
    except (OSError, ValueError) as error:
        _log.warning("What became of the run is not known for sure: Kubeflow Pipelines does not tell (%s)", error)
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
