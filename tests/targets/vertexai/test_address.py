"""Where requests go: Google's own address, through a company's proxy, over TLS with a CA of one's own."""

from __future__ import annotations

import pytest

pytest.importorskip("google.cloud.aiplatform_v1", reason="google-cloud-aiplatform is not installed")

from kedro_kubeflow.config.model import parse
from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.targets.vertexai.client import VertexClient
from targets.vertexai.conftest import SECTION
from targets.vertexai.vertex_server import VertexServer

HOST = "europe-west1-aiplatform.googleapis.com"


@pytest.mark.parametrize("endpoint", [None, HOST, f"https://{HOST}"])
def test_the_regions_own_address(server: VertexServer, at_its_own_address: None, endpoint: str | None) -> None:
    config = parse(VertexAIConfig, {**SECTION, "api_endpoint": endpoint}, where="here")
    assert list(VertexClient(config).jobs.list()) == []
    assert [name for name, _ in server.calls] == ["ListPipelineJobs"]
