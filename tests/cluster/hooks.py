"""A receiver of webhooks on this machine."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hooks:
    """Keeps the messages that arrive, by the last part of their address."""

    def __init__(self, address: str) -> None:
        kept: dict[str, list[dict[str, Any]]] = defaultdict(list)

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept[self.path.rsplit("/", 1)[-1]].append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Not in the tests' output."""

        self.address, self.kept = address, kept
        self.http = ThreadingHTTPServer((address, 0), Receiver)

    @classmethod
    @contextlib.contextmanager
    def at(cls, address: str) -> Iterator[Hooks]:
        """A receiver that listens as long as the block lasts."""
        hooks = cls(address)
        threading.Thread(target=hooks.http.serve_forever, daemon=True).start()
        try:
            yield hooks
        finally:
            hooks.http.shutdown()
            hooks.http.server_close()

    def url(self, name: str) -> str:
        """Where messages of a name go."""
        return f"http://{self.address}:{self.http.server_port}/{name}"

    def messages(self, name: str, *, seconds: float = 60) -> list[dict[str, Any]]:
        """What has arrived under a name; waits for the first."""
        deadline = time.monotonic() + seconds
        while not self.kept[name] and time.monotonic() < deadline:
            time.sleep(0.5)
        return self.kept[name]
