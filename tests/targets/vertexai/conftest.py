from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from auth import google_stand_in, jwt
from auth.certificates import Authority
from auth.google_stand_in import tunnelling
from auth.loopback import serving
from kedro_project import KedroProject, make_project

from kedro_kubeflow.config.model import parse
from kedro_kubeflow.config.vertexai import VertexAIConfig

if TYPE_CHECKING:
    # Needs google-cloud-aiplatform, which tests of the configuration and the compiler do without.
    from targets.vertexai.vertex_server import VertexServer

SECTION = {"project_id": "my-project", "region": "europe-west1", "root": "gs://my-bucket/runs"}


PIPELINE = """
from kedro.pipeline import Pipeline, node

def same(rows):
    return rows

def create_pipeline():
    return Pipeline([
        node(same, "raw", "rows", name="prepare", tags=["small"]),
        node(same, "rows", "model", name="train", tags=["gpu"]),
        node(lambda rows, limit: limit, ["model", "params:limit"], "report", name="report"),
    ])
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    """A project that is opened in this process."""
    return make_project(
        tmp_path_factory.mktemp("demo"),
        pipelines=PIPELINE,
        kubeflow=None,
        mlflow={"server": {"mlflow_tracking_uri": "sqlite:///mlflow.db"}},
    )


@pytest.fixture
def project(demo: KedroProject, monkeypatch: pytest.MonkeyPatch) -> Iterator[KedroProject]:
    """The same without configuration: each test writes its own."""
    monkeypatch.chdir(demo.path)
    yield demo
    for name in ("kubeflow", "vertexai"):
        (demo.path / f"conf/base/{name}.yml").unlink(missing_ok=True)


@pytest.fixture
def google(tmp_path: Path) -> Iterator[google_stand_in.Google]:
    """Google's credentials on 127.0.0.1."""
    with google_stand_in.google(tmp_path) as stand_in:
        yield stand_in
        assert not stand_in.problems


@pytest.fixture
def server(google: google_stand_in.Google, monkeypatch: pytest.MonkeyPatch) -> Iterator[VertexServer]:
    """Vertex AI on 127.0.0.1, which lets a service account in, and an environment with the account's key."""
    from targets.vertexai.vertex_server import vertex_server

    for name, value in google.environment(google.key_file()).items():
        monkeypatch.setenv(name, value)
    with vertex_server() as made:
        made.lets_in = _signed_by_account
        yield made
        assert not made.problems


@pytest.fixture
def section(server: VertexServer) -> Callable[..., VertexAIConfig]:
    """The section `vertexai` that leads to the stand-in."""

    def make(**keys: Any) -> VertexAIConfig:
        return parse(VertexAIConfig, {**SECTION, "api_endpoint": server.url, **keys}, where="kubeflow.yml, vertexai")

    return make


def _signed_by_account(authorization: str | None) -> bool:
    """Google's clients sign for themselves where they have a service account's key."""
    token = (authorization or "").removeprefix("Bearer ")
    claims = jwt.verified(token, jwt.key_of(google_stand_in.ACCOUNT).public_key())
    return (claims is not None and "cloud-platform" in str(claims.get("scope", ""))) or bool(
        claims and claims.get("aud")
    )


@pytest.fixture
def at_its_own_address(server: VertexServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stand-in under Google's own name: TLS with a throw-away CA, through a proxy that leads nowhere else."""
    folder = tmp_path / "own-address"
    folder.mkdir()
    host, authority = "europe-west1-aiplatform.googleapis.com", Authority(folder)
    with ExitStack() as stack:
        address = stack.enter_context(serving(server, authority.context(host)))
        monkeypatch.setenv("HTTPS_PROXY", stack.enter_context(tunnelling({host: urlsplit(address).port or 0})))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_file))
        yield
