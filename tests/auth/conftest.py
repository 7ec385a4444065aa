from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth import google_stand_in, guarded_mlflow


@pytest.fixture
def google(tmp_path: Path) -> Iterator[google_stand_in.Google]:
    """Google on 127.0.0.1."""
    with google_stand_in.google(tmp_path) as stand_in:
        yield stand_in
        assert not stand_in.problems


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server without any guard."""
    with guarded_mlflow.mlflow_server(tmp_path_factory.mktemp("mlflow")) as address:
        yield address


@pytest.fixture
def guard(mlflow_server: str) -> Iterator[guarded_mlflow.Guard]:
    """A proxy before it that lets nobody in until a test says whom."""
    with guarded_mlflow.guarded(mlflow_server, lambda _: False) as proxy:
        yield proxy


@pytest.fixture
def quiet_mlflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MLflow in this process: no second tries, nothing registered that a test leaves behind."""
    from mlflow.tracking.request_header import registry

    for name in [n for n in os.environ if n.startswith(("MLFLOW_", "KEDRO_KUBEFLOW_MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    providers = registry._request_header_provider_registry._registry
    before = list(providers)
    yield
    providers[:] = before
