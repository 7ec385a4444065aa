"""Where requests go: Google's own address, through a company's proxy, over TLS with a CA of one's own."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("google.cloud.aiplatform_v1", reason="google-cloud-aiplatform is not installed")

from auth.certificates import Authority
from auth.google_stand_in import Google, tunnelling
from auth.loopback import serving

from kedro_kubeflow.config.model import parse
from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.vertex.client import VertexClient
from vertex.conftest import SECTION
from vertex.vertex_server import VertexServer

HOST = "europe-west1-aiplatform.googleapis.com"


@pytest.mark.parametrize("endpoint", [None, HOST, f"https://{HOST}"])
def test_the_regions_own_address(
    google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str | None
) -> None:
    server, authority = VertexServer(), Authority(tmp_path)
    with ExitStack() as stack:
        address = stack.enter_context(serving(server, authority.context(HOST)))
        proxy = stack.enter_context(tunnelling({HOST: urlsplit(address).port or 0}))
        for name, value in {**google.environment(google.key_file()), "HTTPS_PROXY": proxy}.items():
            monkeypatch.setenv(name, value)
        config = parse(VertexAIConfig, {**SECTION, "api_endpoint": endpoint}, where="here")
        assert list(VertexClient(config).jobs.list()) == []
    assert [name for name, _ in server.calls] == ["ListPipelineJobs"]
