"""A stand-in for the API of Kubernetes, as far as it is asked why a pod waits: pods, events, Argo's workflows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml
from serving import serving


@dataclass
class KubernetesStandIn:
    """One namespace of a cluster.

    Attributes:
        pods: by name, as Kubernetes describes them
            (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/).
        events: of any of its things.
        workflows: Argo's, by the id of the run in Kubeflow.
        asked: the paths that were asked for.
    """

    token: str = "sesame"
    namespace: str = "kubeflow"
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    workflows: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        core = f"/api/v1/namespaces/{self.namespace}"
        pod = path.removeprefix(f"{core}/pods/")
        if pod in self.pods:
            return 200, self.pods[pod]
        if path == f"{core}/events":
            wanted = dict(part.split("=") for part in query["fieldSelector"].split(","))
            return 200, {"kind": "EventList", "items": [e for e in self.events if _fits(e, wanted)]}
        if path == f"/apis/argoproj.io/v1alpha1/namespaces/{self.namespace}/workflows":
            run_id = query["labelSelector"].removeprefix("pipeline/runid=")
            return 200, {"kind": "WorkflowList", "items": [w for r, w in self.workflows.items() if r == run_id]}
        return 404, {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}

    def kubeconfig(self, file: Path) -> Path:
        """A kubeconfig that leads here."""
        file.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "here",
                    "clusters": [{"name": "here", "cluster": {"server": self.url}}],
                    "users": [{"name": "me", "user": {"token": self.token}}],
                    "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                }
            ),
            "utf-8",
        )
        return file


def _fits(event: dict[str, Any], wanted: dict[str, str]) -> bool:
    of = event["involvedObject"]
    return all(of.get(key.removeprefix("involvedObject.")) == value for key, value in wanted.items())


@contextmanager
def kubernetes_stand_in() -> Iterator[KubernetesStandIn]:
    made = KubernetesStandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            made.asked.append(self.path)
            status, body = made.answer(unquote(parts.path), dict(parse_qsl(parts.query)))
            if self.headers.get("Authorization") != f"Bearer {made.token}":
                status, body = 401, {"kind": "Status", "status": "Failure", "reason": "Unauthorized", "code": 401}
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None: ...

    with serving(Handler) as made.url:
        yield made
