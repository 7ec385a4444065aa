"""Kubernetes itself, where a kubeconfig of this machine reaches it: what its pods and workflows wait for."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

_USUAL = frozenset({"ContainerCreating", "PodInitializing"})
_SECONDS = 5
_WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/{}/workflows"


@dataclass(frozen=True)
class Cluster:
    """The cluster of the kubeconfig's current context; it may be another one than Kubeflow's, and then nothing is found."""

    namespace: str

    def why(self, pod: str | None, run_id: str) -> str | None:
        """Why a pod waits, or why there is none; None where that is not to be known from here.

        Args:
            pod: None where it is not known which pod the run waits for.
        """
        if self._client is None:
            return None
        asked = [partial(self._of_pod, pod)] if pod else []
        for ask in (*asked, partial(self._of_workflow, run_id)):
            try:
                told = ask()
            except Exception as error:
                # Plugins of a kubeconfig raise what they like, and it may be for another cluster: then nothing is known here.
                log.debug("Kubernetes does not tell of the run %s: %s", run_id, error)
                continue
            if told:
                return told
        return None

    def _of_pod(self, pod: str) -> str | None:
        told = reason_of(self._get(f"/api/v1/namespaces/{self.namespace}/pods/{pod}"))
        return (self._warning(f"involvedObject.name={pod}") or told) if is_usual(told) else told

    def _of_workflow(self, run_id: str) -> str | None:
        """Argo's own word: it makes no pod where a service account is missing, or a quota is used up."""
        found = (
            self._get(_WORKFLOWS.format(self.namespace), labelSelector=f"pipeline/runid={run_id}").get("items") or ()
        )
        for workflow in found:
            name = (workflow.get("metadata") or {}).get("name")
            told = next(_messages(workflow.get("status") or {}), None)
            return told or self._warning(f"involvedObject.kind=Workflow,involvedObject.name={name}")
        return None

    def _warning(self, selector: str) -> str | None:
        return warning_in(self._get(f"/api/v1/namespaces/{self.namespace}/events", fieldSelector=selector))

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer = self._client.call_api(
            path, "GET", query_params=list(query.items()), auth_settings=["BearerToken"], _preload_content=False,
            _request_timeout=_SECONDS, _return_http_data_only=True,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(answer.data)
        return found

    @cached_property
    def _client(self) -> Any:
        known = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
        if not any(file and Path(file).is_file() for file in known.split(os.pathsep)):
            return None
        try:
            from kubernetes import client, config

            asked = client.Configuration()
            asked.retries = False
            config.load_kube_config(known, client_configuration=asked)
            return client.ApiClient(asked)
        except Exception as error:
            # A kubeconfig may be broken in as many ways as there are plugins.
            log.debug("The kubeconfig cannot be used: %s", error)
            return None


def is_usual(told: str | None) -> bool:
    """Whether a pod's reason says no more than that it is on its way."""
    return told is None or told in _USUAL


def reason_of(pod: Mapping[str, Any]) -> str | None:
    """Why a pod has not begun, as Kubernetes describes it; None where it says nothing, or the pod runs."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return _sentence(condition.get("reason"), condition.get("message"))
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    states = [(c.get("state") or {}).get("waiting") or {} for c in containers]
    # One that is stuck says more than those that wait for it.
    for state in sorted(states, key=lambda s: s.get("reason") in _USUAL):
        if state.get("reason"):
            return _sentence(state["reason"], state.get("message"))
    return None


def warning_in(events: Any) -> str | None:
    """The latest warning among a thing's events."""
    items = events.get("items") if isinstance(events, Mapping) else events
    warnings = [e for e in items or () if isinstance(e, Mapping) and e.get("type") == "Warning"]
    if not warnings:
        return None
    latest = max(warnings, key=lambda e: str(e.get("lastTimestamp") or e.get("eventTime") or ""))
    return _sentence(latest.get("reason"), latest.get("message"))


def _messages(status: Mapping[str, Any]) -> Iterator[str]:
    """What a workflow says of the pods that it could not make, then of itself."""
    nodes = [n for n in (status.get("nodes") or {}).values() if n.get("type") == "Pod" and n.get("message")]
    for node in nodes:
        if node.get("phase") in ("Pending", "Error"):
            yield _sentence("", node["message"])
    if status.get("message"):
        yield _sentence("", status["message"])


def _sentence(reason: object, message: object, longest: int = 300) -> str:
    text = " ".join(f"{reason or ''}: {message or ''}".strip(": ").split())
    return text if len(text) <= longest else text[: longest - 1] + "…"
