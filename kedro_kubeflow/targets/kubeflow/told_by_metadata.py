"""What Kubeflow's own record tells of a run's steps, and the logs that launchers have kept in it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.targets.base.run import state_of
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN
from kedro_kubeflow.targets.kubeflow.metadata_store import MetadataStore, NoMetadata
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
from kedro_kubeflow.targets.kubeflow.server import Server
from kedro_kubeflow.targets.kubeflow.steps import PodStep
from kedro_kubeflow.targets.kubeflow.told import Report, Told

log = logging.getLogger(__name__)

_SOURCES = {"minio": "minio", "s3": "s3", "gs": "gcs"}
_KEPT = re.compile(r".*/(?P<task>[^/]+)/[^/]+/executor-logs-(?P<attempt>\d+)$")
_GONE = (*FOREIGN, NoMetadata, KedroKubeflowError, ValueError)


@dataclass(frozen=True)
class Metadata:
    """The record behind a server's UI."""

    server: Server

    def of(self, run: KubeflowRun) -> Report:
        """What it tells of the steps that have not ended to the API; nothing where it cannot be read."""
        host = self.server.ui
        if host is None:
            return Report(silence="more could be known where `host` or `ui_host` is the address of Kubeflow's UI")
        if all(step.finished for step in run.steps):
            return Report()
        try:
            known = {e.task: e.state for e in MetadataStore(self.server.connection, host).executions(run.id)}
        except _GONE as error:
            log.debug("Kubeflow's metadata cannot be read: %s", error)
            return Report()
        told = {
            step.display_name: Told(state=state_of(known[step.name], "UNKNOWN"))
            for step in run.steps
            if _says_more(step, known.get(step.name))
        }
        return Report(steps=told)

    def kept_log(self, run: KubeflowRun, step: PodStep) -> str | None:
        """The log of a step's latest attempt that its launcher has kept as an artifact; None where there is none to be had."""
        host = self.server.ui
        if host is None:
            return None
        try:
            store = MetadataStore(self.server.connection, host)
            kept = [m for uri in store.artifacts(run.id) if (m := _KEPT.match(uri)) and m["task"] == step.name]
            return self._read(host, max(kept, key=lambda m: int(m["attempt"])).group()) if kept else None
        except _GONE as error:
            log.debug("The kept log of %s cannot be read: %s", step.name, error)
            return None

    def _read(self, host: str, uri: str) -> str | None:
        parts = urlsplit(uri)
        if parts.scheme not in _SOURCES:
            return None
        query = {"source": _SOURCES[parts.scheme], "bucket": parts.netloc, "key": parts.path.lstrip("/")}
        namespace = {"namespace": self.server.namespace} if self.server.namespace else {}
        return self.server.connection.once("/artifacts/get", {**query, **namespace}, host=host)


def _says_more(step: PodStep, state: str | None) -> bool:
    """Whether a state in the record is news. Drivers write RUNNING there before the step's own pod has begun."""
    if state == "RUNNING":
        return step.state == "WAITING"
    return state not in (None, "UNKNOWN", "WAITING")
