from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import mlflow
import pytest
from conftest import MlflowServer, free_port
from mlflow import MlflowClient

from kedro_kubeflow.errors import TrackingError
from kedro_kubeflow.tracking.server import await_server, shown, tracking_errors


@contextmanager
def answering(code: int, body: str) -> Iterator[str]:
    """A server that gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://ann:hunter2@127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def refusal(uri: str, ask: Callable[[MlflowClient], object]) -> TrackingError:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        with pytest.raises(TrackingError) as caught, tracking_errors():
            ask(MlflowClient(uri))
    finally:
        mlflow.set_tracking_uri(before)
    return caught.value


@pytest.mark.parametrize(
    ("code", "body", "what", "cure"),
    [
        (401, "You are not authenticated", "refuses", "MLFLOW_TRACKING_USERNAME"),
        (403, '{"error_code": "PERMISSION_DENIED", "message": "Permission denied"}', "refuses", "credentials"),
        (403, "Invalid Host header - possible DNS rebinding attack detected", "name", "--allowed-hosts"),
        (200, "<html>Sign in</html>", "not MLflow's own answer", "sign-in"),
        (404, "no such page 401", "cannot be used", "up"),
    ],
)
def test_what_a_server_answers(code: int, body: str, what: str, cure: str) -> None:
    with answering(code, body) as uri:
        error = refusal(uri, lambda client: client.get_experiment_by_name("x"))
    assert what in error.what
    assert cure in str(error.cure)
    assert "hunter2" not in str(error)
    assert str(error.where).startswith("http://127.0.0.1:")


def test_a_deleted_run_is_said_to_be_deleted(mlflow_server: MlflowServer) -> None:
    client = MlflowClient(mlflow_server.uri)
    run = client.create_run("0")
    client.delete_run(run.info.run_id)
    for ask in (lambda c: c.set_tag(run.info.run_id, "a", "b"), lambda c: c.get_run("0" * 32)):
        error = refusal(mlflow_server.uri, ask)
        assert "deleted" in error.what
        assert "restore" in str(error.cure)


def test_nobody_listens() -> None:
    port = free_port()
    with pytest.raises(TrackingError) as caught:
        await_server(f"http://ann:hunter2@127.0.0.1:{port}/mlflow", 0.5)
    assert "does not answer" in caught.value.what
    assert caught.value.where == f"http://127.0.0.1:{port}"
    assert "hunter2" not in str(caught.value)


def test_an_unknown_name() -> None:
    with pytest.raises(TrackingError) as caught:
        await_server("http://mlflow.invalid:5000", 0.5)
    assert "not known" in caught.value.what
    assert "mlflow.yml" in str(caught.value.cure)


def test_a_server_that_comes_is_waited_for() -> None:
    port = free_port()

    def come() -> None:
        time.sleep(0.6)
        with ThreadingHTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler) as server:
            server.handle_request()

    thread = threading.Thread(target=come, daemon=True)
    thread.start()
    since = time.monotonic()
    await_server(f"http://127.0.0.1:{port}", 30)
    assert 0.3 < time.monotonic() - since < 15
    thread.join(10)


@pytest.mark.parametrize("uri", [None, "", "mlruns", "sqlite:///mlflow.db", "databricks", "file:///tmp/x"])
def test_what_is_no_server_is_not_asked(uri: str | None) -> None:
    since = time.monotonic()
    await_server(uri, 30)
    assert time.monotonic() - since < 1


def test_behind_a_proxy_only_the_proxy_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    since = time.monotonic()
    await_server("https://mlflow.invalid", 30)
    assert time.monotonic() - since < 1


def test_shown_addresses_hold_no_password() -> None:
    assert shown("https://ann:hunter2@mlflow.example.com:5000/x") == "https://mlflow.example.com:5000/x"
    assert shown("postgresql://ann:hunter2@db/x") == "postgresql://[redacted]@db/x"
    assert shown("") == ""
