"""Where the browser comes back to: a server on this machine, for one answer (RFC 8252, 7.3)."""

from __future__ import annotations

import html
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import AF_INET6
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from kedro_kubeflow.errors import AuthError

_PAGE = "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>kedro-kubeflow</title><p>{}"
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'",
}


class Callback:
    """The server.

    Attributes:
        url: the address for the provider, with the port.
        answer: the address that the browser asked for, with all that the provider wrote into it.
    """

    def __init__(self, server: HTTPServer, redirect: str) -> None:
        parts = urlsplit(redirect)
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
        self.url = urlunsplit(parts._replace(netloc=f"{host}:{server.server_address[1]}"))
        self.path = parts.path or "/"
        self.state = ""
        self.answer: str | None = None
        self._server = server

    def wait(self, state: str, seconds: float) -> str:
        """The provider's answer to the request with this state; what others send is not heeded.

        Args:
            seconds: until it counts as an error that nobody comes.

        Raises:
            AuthError: nobody came, or the provider refuses.
        """
        self.state, end = state, time.monotonic() + seconds
        while self.answer is None:
            left = end - time.monotonic()
            if left <= 0:
                raise AuthError(
                    f"Nobody has logged in within {seconds:.0f} seconds",
                    where=self.url,
                    cure="begin again; where this machine has no browser, use `kedro kubeflow login --device`",
                )
            self._server.timeout = min(left, 1.0)
            self._server.handle_request()
        return self.answer

    def take(self, target: str) -> tuple[int, str]:
        """What to answer a browser that asks for an address."""
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        if parts.path != self.path or query.get("state") != [self.state] or not {"code", "error"} & query.keys():
            return 404, "This is not the login that kedro-kubeflow waits for."
        self.answer = urlunsplit(urlsplit(self.url)._replace(query=parts.query))
        if "error" in query:
            return 200, f"The login was refused: {query['error'][0]}. The terminal says more."
        return 200, "You are logged in. This page may be closed."


@contextmanager
def callback(redirect: str) -> Iterator[Callback]:
    """A server for a redirect address, until the block ends.

    Raises:
        AuthError: its port is taken.
    """
    parts = urlsplit(redirect)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, said = it.take(self.path)
            page = _PAGE.format(html.escape(said)).encode()
            self.send_response(status)
            for name, value in {**_HEADERS, "Content-Length": str(len(page))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: Any) -> None:
            """Its line would hold the code."""

    class Server(HTTPServer):
        address_family = AF_INET6 if ":" in str(parts.hostname) else HTTPServer.address_family

        def get_request(self) -> tuple[Any, Any]:
            connection, client = super().get_request()
            # A connection that says nothing must not hold up the one that does.
            connection.settimeout(5.0)
            return connection, client

        def handle_error(self, *_: Any) -> None:
            """A browser that hangs up is no news."""

    # Never `localhost` by name: it may stand for another address too.
    host = "::1" if ":" in str(parts.hostname) else "127.0.0.1"
    try:
        server = Server((host, parts.port or 0), Handler)
    except OSError as error:
        raise AuthError(
            f"Nothing can listen for the browser: {error.strerror}",
            where=redirect,
            cure="leave the port out of `redirect` under `auth`, or free it",
        ) from None
    with server:
        it = Callback(server, redirect)
        yield it
