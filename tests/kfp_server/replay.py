"""A server that gives one recorded answer, whatever it is asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RECORDED = Path(__file__).parent / "recorded"


@dataclass
class Replay:
    """Answers by the path that is asked for; each is the name of a recorded file.

    Attributes:
        rest: the answer where no other fits.
        asked: the paths that were asked for.
    """

    rest: str
    answers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str) -> tuple[int, str, bytes]:
        self.asked.append(path)
        file = RECORDED / next((name for part, name in self.answers.items() if part in path), self.rest)
        status, _, content_type = Path(f"{file}.status").read_text("utf-8").strip().partition(" ")
        return int(status), content_type, file.read_bytes()


@contextmanager
def replayed(rest: str, **answers: str) -> Iterator[Replay]:
    """Serve recorded answers.

    Args:
        answers: by a part of the path, where another than `rest` is to be given.
    """
    replay = Replay(rest, answers)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            status, content_type, body = replay.answer(self.path)
            self.send_response(status)
            if content_type:
                self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - names of http.server

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    replay.url = f"http://127.0.0.1:{http.server_address[1]}"
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield replay
    finally:
        http.shutdown()
        http.server_close()
