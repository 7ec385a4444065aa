"""A stand-in for Kubeflow Pipelines' API, as far as pods ask it: a run's states, and its tasks'."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from serving import serving


@dataclass
class KubeflowStandIn:
    """One server for every run.

    Attributes:
        states: the state history that each run has.
        tasks: name and state of each of its tasks.
    """

    url: str = ""
    states: list[str] = field(default_factory=list)
    tasks: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """By which pods find it."""
        return {"KF_PIPELINES_ENDPOINT": self.url}

    def answer(self) -> dict[str, Any]:
        details = [{"display_name": name, "state": state} for name, state in self.tasks.items()]
        history = [{"state": state} for state in self.states]
        return {"state": self.states[-1], "run_details": {"task_details": details}, "state_history": history}


@contextmanager
def kubeflow_stand_in() -> Iterator[KubeflowStandIn]:
    made = KubeflowStandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(made.answer()).encode())

        def log_message(self, *args: Any) -> None: ...

    with serving(Handler) as made.url:
        yield made
