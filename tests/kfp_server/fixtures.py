"""Fixtures for tests that talk to the stand-in; a test fails when anything broke the contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kfp_server import KfpServer, Options


@pytest.fixture
def server() -> Iterator[KfpServer]:
    """A single-user server, without tokens."""
    with KfpServer() as running:
        yield running
    assert running.violations == []


@pytest.fixture
def multi_user_server() -> Iterator[KfpServer]:
    """A server with namespaces."""
    with KfpServer(Options(multi_user=True)) as running:
        yield running
    assert running.violations == []


@pytest.fixture
def kubernetes_server() -> Iterator[KfpServer]:
    """A server that keeps pipelines as Kubernetes resources."""
    with KfpServer(Options(store="kubernetes")) as running:
        yield running
    assert running.violations == []
