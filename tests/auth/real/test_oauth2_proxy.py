"""Logins through a real oauth2-proxy: with Dex' pages, and with tokens of a real OpenID Connect provider."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from auth.kubeflow_stand_in import PASSWORD, USER
from auth.real.dex import dex
from auth.real.person import Person
from auth.real.proxy import Door, oauth2_proxy
from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.kubeflow import from_config
from kedro_kubeflow.auth.kubeflow.login import log_in
from kedro_kubeflow.config.auth import AuthConfig, BearerAuth, BrowserAuth, DexAuth, NoAuth, OidcAuth, Secret
from kedro_kubeflow.errors import AuthError
from kedro_kubeflow.targets.kubeflow import KubeflowClient, connect
from kedro_kubeflow.targets.kubeflow.connection import Patience

ENV = {"DEX_USERNAME": USER, "DEX_PASSWORD": PASSWORD, "TOKEN": "abc.def.ghi", "SECRET": "ci-secret"}


def client(door: Door, auth: AuthConfig | None, host: str | None = None) -> KubeflowClient:
    host = f"{host or door.url}/pipeline"
    provider = from_config(auth, host=host, env=ENV)
    return connect(host, namespace="team-a", credentials=provider, patience=Patience(pauses=(0.1,)))


def ask(door: Door, auth: AuthConfig | None, host: str | None = None) -> list[Any]:
    return list(client(door, auth, host).runs.list(limit=1))


@pytest.mark.parametrize("secure", ["false", "true"])
@pytest.mark.parametrize("options", [{}, {"approval": True}, {"connectors": ("local", "github")}], ids=str)
def test_a_login_at_dex(options: dict[str, Any], secure: str, tmp_path: Path) -> None:
    """With Secure cookies too, through what is no TLS on this machine: there the proxy names its way back with https."""
    with dex(**options) as provider, oauth2_proxy(provider.issuer, tmp_path, cookie_secure=secure) as door:
        assert ask(door, DexAuth(type="dex")) == []
        assert provider.logins == 1
    api = [request for request in door.heard if "/apis/" in request.path]
    assert api
    assert all(request.headers["x-forwarded-email"] == USER for request in api)


@pytest.mark.parametrize("button", ["true", "false"])
def test_a_session_is_renewed_when_the_proxy_has_forgotten_it(button: str, tmp_path: Path) -> None:
    with (
        dex() as provider,
        oauth2_proxy(provider.issuer, tmp_path, skip_provider_button=button, cookie_expire="1s") as door,
    ):
        server = client(door, DexAuth(type="dex"))
        assert list(server.runs.list(limit=1)) == []
        time.sleep(1.2)
        assert list(server.runs.list(limit=1)) == []
        assert provider.logins == 2


def test_refusals(tmp_path: Path) -> None:
    with dex() as provider, oauth2_proxy(provider.issuer, tmp_path) as door:
        with pytest.raises(AuthError, match="oauth2-proxy wants a login, and no credentials were sent") as error:
            ask(door, NoAuth(type="none"))
        assert "type: dex" in str(error.value.cure)
        wrong = DexAuth(type="dex", password=Secret(env="TOKEN"))
        with pytest.raises(AuthError, match="Dex refuses the user"):
            ask(door, wrong)
        with pytest.raises(AuthError, match=r"oauth2-proxy does not accept the credentials \(the token from"):
            ask(door, BearerAuth(type="bearer", token=Secret(env="TOKEN")))
        assert not [request for request in door.heard if "/apis/" in request.path]


def test_a_user_whom_the_proxy_does_not_let_in(tmp_path: Path) -> None:
    with dex() as provider, oauth2_proxy(provider.issuer, tmp_path, email_domain="other.org") as door:
        with pytest.raises(AuthError, match="Dex accepted the login, and the host answers with HTTP 403") as error:
            ask(door, DexAuth(type="dex"))
        assert "allowed" in str(error.value.cure) or "let in" in str(error.value.cure)


def test_the_password_is_not_for_another_provider(issuer: str, tmp_path: Path) -> None:
    with oauth2_proxy(issuer, tmp_path, code_challenge_method="S256") as door, pytest.raises(AuthError) as error:
        ask(door, DexAuth(type="dex"))
    assert "browser" in str(error.value) or "another `type`" in str(error.value)


class TestBrowser:
    @pytest.fixture(autouse=True)
    def _logged_in(self, issuer: str, logins: Path) -> None:
        pytest.importorskip("authlib")
        self.config = BrowserAuth(type="browser", issuer=issuer, prompt="consent")
        log_in(self.config, Surroundings("", {}), open_browser=Person)

    def test_a_gateway_that_takes_its_tokens(self, issuer: str, tmp_path: Path) -> None:
        with oauth2_proxy(issuer, tmp_path, extra_jwt_issuers=f"{issuer}=kedro-kubeflow") as door:
            assert ask(door, self.config) == []
        assert door.heard[-1].headers["x-forwarded-email"] == "ann@example.com"

    def test_a_gateway_that_does_not(self, issuer: str, tmp_path: Path) -> None:
        with oauth2_proxy(issuer, tmp_path) as door, pytest.raises(AuthError) as error:
            ask(door, self.config)
        assert f'`extra_jwt_issuers = "{issuer}=kedro-kubeflow"`' in str(error.value.cure)


def test_a_client_of_its_own(issuer: str, tmp_path: Path) -> None:
    """Machines: the provider gives the client a token; this proxy takes ID tokens alone, and says no."""
    auth = OidcAuth(type="oidc", issuer=issuer, client_id="ci", client_secret=Secret(env="SECRET"), scope="pipelines")
    provider = from_config(auth, host="https://kubeflow.example.com", env=ENV)
    assert provider.headers()["Authorization"].startswith("Bearer ")
    with oauth2_proxy(issuer, tmp_path) as door, pytest.raises(AuthError, match="does not accept the credentials"):
        ask(door, auth)
