from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from auth import jwt
from auth.google_stand_in import closed_port
from auth.loopback import Request, Response, as_json, serving
from kedro_kubeflow.auth.kubeflow import AuthProvider, from_config
from kedro_kubeflow.auth.kubeflow import kubernetes as module
from kedro_kubeflow.config.auth import KubernetesAuth
from kedro_kubeflow.errors import AuthError, ServerError

HOST = "https://kubeflow.example.com/pipeline"


class Cluster:
    """The TokenRequest API of a cluster, and kubeconfigs for it."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 201
        self.lifetime = 3600.0
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._key = jwt.key_of("issuer")

    def answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer of-the-kubeconfig":
            return as_json({"kind": "Status", "reason": "Unauthorized", "message": "Unauthorized"}, 401)
        if self.status != 201:
            return as_json({"kind": "Status", "message": "sesame"}, self.status)
        self.asked.append((request.path, request.json["spec"]))
        token = jwt.sign({"exp": time.time() + self.lifetime, "n": len(self.asked)}, self._key)
        spec = {**request.json["spec"], "expirationSeconds": self.lifetime}
        return as_json(
            {
                "kind": "TokenRequest",
                "spec": spec,
                "status": {"token": token, "expirationTimestamp": "2099-01-01T00:00:00Z"},
            },
            201,
        )

    def kubeconfig(self, folder: Path, user: dict[str, Any] | None = None) -> str:
        contexts = {"team": {"namespace": "team-a"}, "bare": {}}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "team",
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": {"token": "of-the-kubeconfig"} if user is None else user}],
            "contexts": [{"name": n, "context": {"cluster": "c", "user": "u", **more}} for n, more in contexts.items()],
        }
        file = folder / "kubeconfig"
        file.write_text(yaml.safe_dump(config))
        return str(file)


@contextmanager
def running() -> Iterator[Cluster]:
    cluster = Cluster()
    with serving(cluster.answer) as cluster.url:
        yield cluster


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with running() as it:
        yield it


@pytest.fixture(autouse=True)
def outside_of_clusters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "PIPELINES_TOKEN", str(tmp_path / "mounted"))


def provider(env: dict[str, str] | None = None, **config: Any) -> AuthProvider:
    return from_config(KubernetesAuth(type="kubernetes", **config), host=HOST, env=env or {})


def test_the_mounted_token_is_read_for_each_request(tmp_path: Path) -> None:
    mounted = tmp_path / "mounted"
    mounted.write_text("first\n")
    credentials = provider()
    assert credentials.headers() == {"Authorization": "Bearer first"}
    mounted.write_text("second\n")
    assert credentials.headers() == {"Authorization": "Bearer second"}
    assert credentials.renew()


def test_where_the_token_is_may_be_said(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    env = {"KF_PIPELINES_SA_TOKEN_PATH": str(tmp_path / "a")}
    assert provider(env).headers() == {"Authorization": "Bearer a"}
    assert provider(env, path=str(tmp_path / "b")).headers() == {"Authorization": "Bearer b"}
    missing = provider({"KF_PIPELINES_SA_TOKEN_PATH": "/not/there"})
    with pytest.raises(AuthError, match="cannot be read: No such file") as error:
        missing.headers()
    assert error.value.where == "/not/there"


def test_a_service_accounts_token_is_requested_for_pipelines(cluster: Cluster, tmp_path: Path) -> None:
    credentials = provider({"KUBECONFIG": cluster.kubeconfig(tmp_path)}, service_account="default-editor")
    first = credentials.headers()
    assert first == credentials.headers()
    assert first["Authorization"].startswith("Bearer eyJ")
    [(path, spec)] = cluster.asked
    assert path == "/api/v1/namespaces/team-a/serviceaccounts/default-editor/token"
    assert spec == {"audiences": ["pipelines.kubeflow.org"], "expirationSeconds": 3600}
    assert credentials.renew()
    assert credentials.headers() != first


def test_a_requested_token_is_renewed_before_it_expires(cluster: Cluster, tmp_path: Path) -> None:
    cluster.lifetime = 1.0
    credentials = provider(kubeconfig=cluster.kubeconfig(tmp_path), service_account="default-editor")
    first = credentials.headers()
    time.sleep(0.85)
    assert credentials.headers() != first


def test_context_namespace_and_audience_may_be_said(cluster: Cluster, tmp_path: Path) -> None:
    config = {"context": "bare", "service_account": "bot", "namespace": "team-b", "audience": "other"}
    provider(kubeconfig=cluster.kubeconfig(tmp_path), **config).headers()
    [(path, spec)] = cluster.asked
    assert path == "/api/v1/namespaces/team-b/serviceaccounts/bot/token"
    assert spec["audiences"] == ["other"]


def test_a_service_account_without_a_namespace(cluster: Cluster, tmp_path: Path) -> None:
    credentials = provider(kubeconfig=cluster.kubeconfig(tmp_path), context="bare", service_account="bot")
    with pytest.raises(AuthError, match="namespace of the service account 'bot' is not known"):
        credentials.headers()


def test_the_kubeconfigs_own_token(cluster: Cluster, tmp_path: Path) -> None:
    credentials = provider(kubeconfig=cluster.kubeconfig(tmp_path))
    assert credentials.headers() == {"Authorization": "Bearer of-the-kubeconfig"}
    assert cluster.asked == []


def test_a_kubeconfig_whose_token_a_program_prints(cluster: Cluster, tmp_path: Path) -> None:
    status = {"token": "of-a-program", "expirationTimestamp": "2099-01-01T00:00:00Z"}
    said = {"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential", "status": status}
    script = tmp_path / "login.py"
    script.write_text(f"print({json.dumps(said)!r})")
    program = {"apiVersion": said["apiVersion"], "command": sys.executable, "args": ["-S", str(script)]}
    user = {"exec": {**program, "interactiveMode": "Never"}}
    credentials = provider(kubeconfig=cluster.kubeconfig(tmp_path, user))
    assert credentials.headers() == {"Authorization": "Bearer of-a-program"}


def test_a_kubeconfig_without_a_token(cluster: Cluster, tmp_path: Path) -> None:
    credentials = provider(kubeconfig=cluster.kubeconfig(tmp_path, {}))
    with pytest.raises(AuthError, match="no token, as with client certificates") as error:
        credentials.headers()
    assert "give `service_account`" in str(error.value)


@pytest.mark.parametrize("config", [{}, {"context": "other"}], ids=["file", "context"])
def test_no_kubeconfig(tmp_path: Path, config: dict[str, str]) -> None:
    with pytest.raises(AuthError, match="No Kubernetes credentials") as error:
        provider({"KUBECONFIG": str(tmp_path / "none")}, **config).headers()
    assert "mount a token at" in str(error.value)


@pytest.mark.parametrize(("status", "kind"), [(401, AuthError), (403, AuthError), (404, AuthError), (503, ServerError)])
def test_what_a_refusing_cluster_says_is_told_by_its_status(
    cluster: Cluster, tmp_path: Path, status: int, kind: type[Exception]
) -> None:
    cluster.status = status
    credentials = provider(kubeconfig=cluster.kubeconfig(tmp_path), service_account="bot")
    with pytest.raises(kind, match=str(status)) as error:
        credentials.headers()
    assert "sesame" not in str(error.value)
    assert ("serviceaccounts/token" in str(error.value)) == (status < 500)


def test_a_cluster_that_does_not_answer(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.url = f"http://127.0.0.1:{closed_port()}"
    credentials = provider(kubeconfig=cluster.kubeconfig(tmp_path), service_account="bot")
    with pytest.raises(ServerError, match="The cluster cannot be asked for a token: MaxRetryError"):
        credentials.headers()


def test_nothing_secret_is_shown(cluster: Cluster, tmp_path: Path) -> None:
    credentials = provider(kubeconfig=cluster.kubeconfig(tmp_path))
    credentials.headers()
    assert "of-the-kubeconfig" not in repr(credentials)
