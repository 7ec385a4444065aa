"""The logs of a run's steps, where the server gives them.

Neither of the two ways is part of KFP's contract. The API server reads a pod's log, or the archived one, at
``/apis/v1alpha1/runs/{run}/nodes/{pod}/log``; the UI's own server, which stands before the API in most installations,
at ``/k8s/pod/logs``. Pods that are gone, and whose logs are archived nowhere, cannot be read by anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN
from kedro_kubeflow.targets.kubeflow.refusals import translated
from kedro_kubeflow.targets.kubeflow.runs import Run
from kedro_kubeflow.targets.kubeflow.server import Server
from kedro_kubeflow.targets.kubeflow.steps import NOT_STARTED, Step


@dataclass(frozen=True)
class Logs:
    """The logs that one server gives."""

    server: Server

    def of(self, run: Run, step: Step) -> str:
        """What a step has written.

        Raises:
            ServerError: the step has not begun, or the server does not give its log; the error says how to read it.
        """
        if step.state == NOT_STARTED or not step.pods:
            raise ServerError(
                f"The step {step.title!r} has no log: it has not begun, or it was taken from the cache",
                where=self.server.address.run_link(run.id),
            )
        reasons: list[str] = []
        for host, path, query in self._ways(run, step):
            try:
                return self.server.connection.once(path, query, host=host)
            except FOREIGN as error:
                reasons.append(translated(error, self.server.address, f"read the log of {step.title!r}").what)
        # The first way is the likeliest, so its reason is the one that tells most.
        raise ServerError(reasons[0], where=self.server.address.run_link(run.id), cure=self.how_to_read(step))

    def how_to_read(self, step: Step) -> str:
        """The command that reads a step's log on the cluster."""
        namespace = self.server.configured_namespace or "kubeflow"
        pod = step.pods[0] if step.pods else f"POD-OF-{step.name}"
        return f"open the run in the UI, or: kubectl logs -n {namespace} {pod} -c main"

    def _ways(self, run: Run, step: Step) -> Iterator[tuple[str, str, dict[str, str]]]:
        address = self.server.address
        for pod in step.pods:
            yield address.host, f"/apis/v1alpha1/runs/{run.id}/nodes/{pod}/log", {}
        if address.same_origin:
            namespace = {"podnamespace": self.server.namespace} if self.server.namespace else {}
            query = {"podname": step.pods[0], "runid": run.id, **namespace}
            yield address.ui_host, "/k8s/pod/logs", query
