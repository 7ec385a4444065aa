from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from kfp_server import KfpServer
from kfp_server.fixtures import kubernetes_server, multi_user_server, server

from kedro_kubeflow.targets.base.waiting import Pace, Waiting
from kedro_kubeflow.targets.kubeflow import KubeflowClient, connect
from kedro_kubeflow.targets.kubeflow.connection import Patience
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun

__all__ = ["kubernetes_server", "multi_user_server", "server"]

QUICK = Patience(connect=2, read=0.3, pauses=(0.01, 0.01, 0.01))


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer's machine says of proxies and certificates is no part of a test."""
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


Connect = Callable[..., KubeflowClient]


@pytest.fixture
def client_of() -> Connect:
    """A client of a server, with short pauses: time passes as fast as a test needs."""

    def make(server: KfpServer, **options: object) -> KubeflowClient:
        client = connect(server.url, patience=QUICK, **options)  # type: ignore[arg-type]
        client.server.connection.sleep = lambda _: None
        return client

    return make


@pytest.fixture
def client(server: KfpServer, client_of: Connect) -> KubeflowClient:
    return client_of(server)


def settled(client: KubeflowClient, run_id: str) -> KubeflowRun:
    """A run as it is now; if it has just ended, as it is when its steps have ended too."""
    waiting = Waiting(client.look(run_id), Pace(outage=0), client.address.run_link(run_id), "wait longer")
    waiting.sleep = client.server.connection.sleep
    return client.pods.explained(cast("KubeflowRun", waiting.end()))
