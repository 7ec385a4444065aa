"""The logs of a run's steps.

Neither of the two ways is part of KFP's contract. The API server reads a pod's log, or the one that Argo archived of a pod
that is gone, at ``/apis/v1alpha1/runs/{run}/nodes/{pod}/log``; what it cannot read it tells with a 200 and an object with an
``error_message``. The UI's own server, which stands before the API in most installations, knows that path not; its own is
``/k8s/pod/logs``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN
from kedro_kubeflow.targets.kubeflow.refusals import translated
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
from kedro_kubeflow.targets.kubeflow.server import Server
from kedro_kubeflow.targets.kubeflow.steps import PodStep
from kedro_kubeflow.targets.kubeflow.told_by_metadata import Metadata

NAMESPACE = "kubeflow"
"""Where a single-user server has its pods."""

# Lines of KFP's launcher (https://pkg.go.dev/k8s.io/klog/v2) and of Argo's executor around those of the step itself.
_AROUND = re.compile(
    r"([IWEF]\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ \S+\.go:\d+\])|(time=\S+ level=\S+ msg=.* argo=true)|(Error: exit status \d+$)"
)
_LAST_WORDS = re.compile(r"^kedro-kubeflow: step .* failed$", re.MULTILINE)


class NoLog(Exception):
    """The server's word that it has no log."""


@dataclass(frozen=True)
class Logs:
    """The logs that one server gives."""

    server: Server

    def of(self, run: KubeflowRun, step: PodStep) -> str:
        """What a step has written, at its latest attempt; what its driver has, where it never came to itself.

        Raises:
            ServerError: the step has not begun, or there is no log of it to be had; the error says how to read it.
        """
        drivers = (step.driver,) if step.driver and step.state == "FAILED" else ()
        pods = (*step.pods, *drivers) if step.begun else ()
        if not pods:
            raise ServerError(
                f"The step {step.display_name!r} has no log: {_why_none(step)}",
                where=self.server.address.run_link(run.id),
            )
        reasons: list[str] = []
        for pod in pods:
            for host, path, query in self._ways(run, pod):
                try:
                    return _log_in(self.server.connection.once(path, query, host=host))
                except FOREIGN as error:
                    reasons.append(_reason(translated(error, self.server.address, "read it").what))
                except NoLog as error:
                    reasons.append(_reason(str(error)))
        if (kept := Metadata(self.server).kept_log(run, step)) is not None:
            return kept
        # The first way is the likeliest, so its reason is the one that tells most.
        raise ServerError(
            f"Could not read the log of {step.display_name!r}: {reasons[0]}",
            where=self.server.address.run_link(run.id),
            cure=self.how_to_read(step),
        )

    def how_to_read(self, step: PodStep) -> str:
        """The command that reads a step's log on the cluster."""
        namespace = self.server.configured_namespace or NAMESPACE
        pod = (*step.pods, f"POD-OF-{step.name}")[0]
        return f"open the run in the UI, or: kubectl logs -n {namespace} {pod} -c main"

    def _ways(self, run: KubeflowRun, pod: str) -> Iterator[tuple[str, str, dict[str, str]]]:
        address = self.server.address
        if not self.server.is_ui:
            yield address.host, f"/apis/v1alpha1/runs/{run.id}/nodes/{pod}/log", {}
        if (host := self.server.ui) is not None:
            day = {"createdat": f"{run.created_at:%Y-%m-%d}"} if run.created_at else {}
            query = {"podname": pod, "runid": run.id, "podnamespace": self.server.namespace or NAMESPACE, **day}
            yield host, "/k8s/pod/logs", query


def _why_none(step: PodStep) -> str:
    return _NO_POD.get(step.state, "it has no pod")


_NO_POD = {
    "WAITING": "it has not begun",
    "PENDING": "its pod has not started",
    "SKIPPED": "it never ran",
    "CACHED": "its results were in the cache",
}


def _log_in(text: str) -> str:
    """A log, where the answer is one.

    Raises:
        NoLog: it is the server's word that it has none.
    """
    if text.startswith("{") and '"error_message"' in text:
        try:
            said = json.loads(text)
        except ValueError:
            return text
        if set(said) <= {"error_message", "error_details"}:
            raise NoLog(str(said["error_message"]))
    return text


def _reason(said: str) -> str:
    """Of the stack of errors that the server tells, what people want to know."""
    if re.search(r"NoSuchKey|code=NotFound|specified key does not exist", said):
        return "its pod is gone or never was, and no log of it was archived"
    return said.removeprefix("Could not read it: ")


def tail(text: str, lines: int) -> list[str]:
    """The last lines that are the step's own."""
    own = [line for line in text.splitlines() if not _AROUND.match(line)]
    return own[-lines:]


def last_words(text: str) -> str | None:
    """What a step said of its failure at its end: what, where and the cure; None where it said nothing."""
    own = "\n".join(line for line in text.splitlines() if not _AROUND.match(line))
    found = list(_LAST_WORDS.finditer(own))
    return own[found[-1].end() :].strip() or None if found else None
