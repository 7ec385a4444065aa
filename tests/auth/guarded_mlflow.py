"""A real ``mlflow server``, and a proxy before it that lets in whom a function lets in."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from auth.google_stand_in import closed_port
from auth.loopback import Request, Response, as_json, serving

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-encoding", "content-length", "date", "server"}


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """The address of a server that keeps its runs in sqlite."""
    port = closed_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    store = ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "files")]
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    log = folder / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [*command, *store],
            env={**env, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        # Its workers are its children: the group is ours alone.
        os.killpg(server.pid, 9)
        server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end and server.poll() is None:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.1)
    raise AssertionError(f"the MLflow server did not start: {log.read_text()[-2000:]}")


class Guard:
    """The proxy: `seen` holds every ``Authorization`` that came, None where there was none."""

    def __init__(self, upstream: str, lets_in: Callable[[str | None], bool]) -> None:
        self.lets_in = lets_in
        self.seen: list[str | None] = []
        self.paths: list[str] = []
        self.url = ""
        self._upstream = upstream

    def answer(self, request: Request) -> Response:
        authorization = request.headers.get("authorization")
        self.seen.append(authorization)
        self.paths.append(f"{request.method} {request.path}")
        if not self.lets_in(authorization):
            return as_json({"error_code": "UNAUTHENTICATED", "message": "a fresh token is needed"}, 401)
        kept = {k: v for k, v in request.headers.items() if k not in {*HOP_BY_HOP, "host", "authorization"}}
        answer = requests.request(
            request.method, self._upstream + request.target, headers=kept, data=request.body, timeout=60
        )
        headers = {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
        return Response(answer.status_code, answer.content, headers)


@contextmanager
def guarded(upstream: str, lets_in: Callable[[str | None], bool]) -> Iterator[Guard]:
    guard = Guard(upstream, lets_in)
    with serving(guard.answer) as guard.url:
        yield guard
