"""Why a step's pod waits: its image, a node, a secret, a claim. Kubeflow's API says no more than PENDING, and not even that
of the step.

Asked is the UI's own server, which shows people the pod and its events, then Kubernetes itself where a kubeconfig of this
machine reaches it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import cached_property

from kedro_kubeflow.errors import KedroKubeflowError, WaitTimeout
from kedro_kubeflow.targets.kubeflow.cluster import Cluster, is_usual, reason_of, warning_in
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
_WHOLE = ""
"""Stands for a run that has not come to any step, among the names of steps."""


@dataclass(frozen=True)
class Pods:
    """The pods of a server's runs, as far as anybody here may look at them."""

    server: Server

    @property
    def namespace(self) -> str:
        """Where they are."""
        return self.server.configured_namespace or NAMESPACE

    @cached_property
    def cluster(self) -> Cluster:
        """Kubernetes itself, as far as it is reached."""
        return Cluster(self.namespace)

    def why(self, run: KubeflowRun, step: PodStep | None = None) -> str:
        """Why a step's pod waits, or the run as a whole; or what to look at where nobody says it."""
        pod = step.waiting_pod if step else run.waits_for
        return self._told(pod, run.id) or self._look_at(pod, run.id)

    def _told(self, pod: str | None, run_id: str) -> str | None:
        return next((told for told in self._asked(pod, run_id) if told), None)

    def _look_at(self, pod: str | None, run_id: str) -> str:
        where = f"-n {self.namespace}"
        workflow = self._workflow(run_id)
        if pod is None:
            return f"Argo has made no pod for it yet; why is not known here, look with: {workflow}"
        return (
            f"why is not known here; look at it with: kubectl describe pod {where} {pod}; where there is no such pod (no such "
            f"service account, a quota): {workflow}"
        )

    def unopened(self, run: KubeflowRun) -> KubeflowRun:
        """A run that has failed before any step, with the reason; any other as it is."""
        if not run.never_opened or run.error:
            return run
        what = "No step has begun: the run's first pod, Kubeflow's driver, could not be made, or failed"
        told = self.cluster.why(None, run.id)
        account = f"the service account {run.service_account!r}" if run.service_account else "its service account"
        look = f"look at {account}, quotas and admission rules: {self._workflow(run.id)}"
        return replace(run, error=f"{what}: {told or look}")

    def _workflow(self, run_id: str) -> str:
        return f"kubectl get workflows -n {self.namespace} -l pipeline/runid={run_id} -o yaml"

    def explained(self, run: KubeflowRun) -> KubeflowRun:
        """A run with the reason of each step that waits, or its own."""
        waiting = [step.name for step in run.steps if step.state == "PENDING"][:MOST]
        if waits_as_a_whole(run) and is_long(run):
            return replace(run, reason=self.why(run))
        if not waiting:
            return run
        told = {step.name: self._reason(run, step) for step in run.steps if step.name in waiting}
        return replace(run, steps=tuple(replace(s, reason=told.get(s.name)) for s in run.steps))

    def _reason(self, run: KubeflowRun, step: PodStep) -> str | None:
        """Where nobody says it, a pod that has just been made is nothing to look at."""
        since = step.turn_at or step.started_at
        return self.why(run, step) if since is None or is_old(since) else self._told(step.waiting_pod, run.id)

    def _asked(self, pod: str | None, run_id: str) -> Iterator[str | None]:
        if pod is not None and (host := self.server.ui) is not None:
            yield self._of_ui(host, pod)
        yield self.cluster.why(pod, run_id)

    def _of_ui(self, host: str, pod: str) -> str | None:
        query = {"podname": pod, "podnamespace": self.server.namespace or NAMESPACE}
        try:
            found = json.loads(self.server.connection.once("/k8s/pod", query, host=host))
            told = reason_of(found)
            if is_usual(told):
                events = json.loads(self.server.connection.once("/k8s/pod/events", query, host=host))
                told = warning_in(events) or told
        except (*FOREIGN, ValueError, KedroKubeflowError) as error:
            log.debug("The UI's server does not show the pod %s: %s", pod, error)
            return None
        return told


def waits_as_a_whole(run: KubeflowRun) -> bool:
    """Whether a run has not come to any step: nothing is told of it yet, or the pod before all of them waits."""
    reached = any(step.state != "WAITING" for step in run.steps)
    return not (run.ended or reached) and (run.waits_for is not None or not run.begun)


def is_long(run: KubeflowRun) -> bool:
    """Whether a run has been there for as long as a pod may wait without a word."""
    return run.created_at is None or is_old(run.created_at)


def is_old(moment: datetime) -> bool:
    """Whether it is as long ago as a pod may wait without a word."""
    return datetime.now(timezone.utc) - moment >= timedelta(seconds=AFTER)


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
        waiting: dict[str, PodStep | None] = {s.name: s for s in run.steps if s.state == "PENDING" and not run.ended}
        if waits_as_a_whole(run):
            waiting = {_WHOLE: None}
        self._since = {name: self._since.get(name, now) for name in waiting}
        for name, step in waiting.items():
            waited = now - self._since[name]
            if self.timeout is not None and waited >= self.timeout:
                raise self._too_long(run, step, waited)
            if waited >= AFTER and now - self._told.get(name, (-AGAIN, ""))[0] >= AGAIN:
                self._told[name] = (now, self.pods.why(run, step))
        told = {name: self._told[name][1] for name in waiting if name in self._told}
        steps = tuple(replace(s, reason=told.get(s.name)) for s in run.steps)
        return replace(run, steps=steps, reason=told.get(_WHOLE)) if told else run

    def _too_long(self, run: KubeflowRun, step: PodStep | None, waited: float) -> WaitTimeout:
        what = f"The pod of {step.display_name!r}" if step else "The run's first pod"
        return WaitTimeout(
            f"{what} has waited for {waited:.0f} seconds: {self.pods.why(run, step)}",
            where=self.pods.server.address.run_link(run.id),
            cure=f"mend it, and the run goes on; or end it: kedro kubeflow terminate {run.id}",
        )
