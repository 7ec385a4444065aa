"""Why a step's pod waits: its image, a node, a secret, a claim. Kubeflow's API says no more than PENDING, and not even that
of the step.

Asked is the UI's own server, which shows people the pod and its events, then Kubernetes itself where a kubeconfig of this
machine reaches it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kedro_kubeflow.errors import KedroKubeflowError, WaitTimeout
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN
from kedro_kubeflow.targets.kubeflow.logs import NAMESPACE
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
from kedro_kubeflow.targets.kubeflow.server import Server
from kedro_kubeflow.targets.kubeflow.steps import PodStep

log = logging.getLogger(__name__)

AFTER, AGAIN = 60.0, 30.0
"""Seconds that a pod may wait before it is asked why, and between two questions."""
MOST = 5
"""Pods that are asked about for one look."""
_USUAL = frozenset({"ContainerCreating", "PodInitializing"})
_SECONDS = 5


@dataclass(frozen=True)
class Pods:
    """The pods of a server's runs, as far as anybody here may look at them."""

    server: Server

    @property
    def namespace(self) -> str:
        """Where they are."""
        return self.server.configured_namespace or NAMESPACE

    def why(self, step: PodStep) -> str:
        """Why a step's pod waits, or what to look at where nobody says it."""
        pod = step.waiting_pod
        if pod is None:
            return "its pod is not made yet"
        for told in self._asked(pod):
            if told:
                return told
        return f"why is not known here; look at it with: kubectl describe pod -n {self.namespace} {pod}"

    def explained(self, run: KubeflowRun) -> KubeflowRun:
        """A run with the reason of each step that waits."""
        waiting = [step.name for step in run.steps if step.state == "PENDING"][:MOST]
        if not waiting:
            return run
        return replace(run, steps=tuple(replace(s, reason=self.why(s)) if s.name in waiting else s for s in run.steps))

    def _asked(self, pod: str) -> Iterator[str | None]:
        if (host := self.server.ui) is not None:
            yield self._of_ui(host, pod)
        yield _of_kubernetes(self.namespace, pod)

    def _of_ui(self, host: str, pod: str) -> str | None:
        query = {"podname": pod, "podnamespace": self.server.namespace or NAMESPACE}
        try:
            found = json.loads(self.server.connection.once("/k8s/pod", query, host=host))
            told = reason_of(found)
            if told in (None, *_USUAL):
                events = json.loads(self.server.connection.once("/k8s/pod/events", query, host=host))
                told = warning_in(events) or told
        except (*FOREIGN, ValueError, KedroKubeflowError) as error:
            log.debug("The UI's server does not show the pod %s: %s", pod, error)
            return None
        return told


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
    """The latest warning among a pod's events."""
    items = events.get("items") if isinstance(events, Mapping) else events
    warnings = [e for e in items or () if isinstance(e, Mapping) and e.get("type") == "Warning"]
    if not warnings:
        return None
    latest = max(warnings, key=lambda e: str(e.get("lastTimestamp") or e.get("eventTime") or ""))
    return _sentence(latest.get("reason"), latest.get("message"))


def _sentence(reason: object, message: object, longest: int = 300) -> str:
    text = " ".join(f"{reason or ''}: {message or ''}".strip(": ").split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _of_kubernetes(namespace: str, pod: str) -> str | None:
    files = [
        Path(f) for f in os.environ.get("KUBECONFIG", str(Path.home() / ".kube" / "config")).split(os.pathsep) if f
    ]
    if not any(file.is_file() for file in files):
        return None
    try:
        from kubernetes import client, config

        core = client.CoreV1Api(config.new_client_from_config())
        found = core.read_namespaced_pod(pod, namespace, _preload_content=False, _request_timeout=_SECONDS)
        told = reason_of(json.loads(found.data))
        if told in (None, *_USUAL):
            of_pod = f"involvedObject.name={pod}"
            events = core.list_namespaced_event(
                namespace, field_selector=of_pod, _preload_content=False, _request_timeout=_SECONDS
            )
            told = warning_in(json.loads(events.data)) or told
    except Exception as error:
        # Plugins of a kubeconfig raise what they like, and it may be for another cluster: then nothing is known from here.
        log.debug("Kubernetes does not show the pod %s: %s", pod, error)
        return None
    return told


@dataclass
class PendingWatch:
    """Looks at a run, with the reason of what waits for long, and with an end of patience.

    Attributes:
        timeout: seconds that any pod may wait; None for no end.
    """

    pods: Pods
    timeout: float | None = None
    _since: dict[str, float] = field(default_factory=dict)
    _told: dict[str, tuple[float, str]] = field(default_factory=dict)

    def seen(self, run: KubeflowRun, now: float) -> KubeflowRun:
        """A look with the reasons.

        Args:
            now: of a clock that never goes back, in seconds.

        Raises:
            WaitTimeout: a pod has waited for too long; the run goes on.
        """
        waiting = {} if run.ended else {s.name: s for s in run.steps if s.state == "PENDING"}
        self._since = {name: self._since.get(name, now) for name in waiting}
        for name, step in waiting.items():
            waited = now - self._since[name]
            if self.timeout is not None and waited >= self.timeout:
                raise self._too_long(run, step, waited)
            if waited >= AFTER and now - self._told.get(name, (-AGAIN, ""))[0] >= AGAIN:
                self._told[name] = (now, self.pods.why(step))
        told = {name: self._told[name][1] for name in waiting if name in self._told}
        return replace(run, steps=tuple(replace(s, reason=told.get(s.name)) for s in run.steps)) if told else run

    def _too_long(self, run: KubeflowRun, step: PodStep, waited: float) -> WaitTimeout:
        return WaitTimeout(
            f"The pod of {step.display_name!r} has waited for {waited:.0f} seconds: {self.pods.why(step)}",
            where=self.pods.server.address.run_link(run.id),
            cure=f"mend it, and the run goes on; or end it: kedro kubeflow terminate {run.id}",
        )
