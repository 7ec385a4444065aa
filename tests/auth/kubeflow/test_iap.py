from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from auth.google_stand_in import ACCOUNT, DEFAULT_ACCOUNT, TARGET, Google
from auth.loopback import Request, Response, as_json, redirect, serving
from kedro_kubeflow.auth.kubeflow import AuthProvider, authenticated, from_config
from kedro_kubeflow.config.auth import GoogleAuth, IapAuth
from kedro_kubeflow.errors import AuthError

CLIENT_ID = "123-abc.apps.googleusercontent.com"
LOGIN = "https://accounts.google.com/o/oauth2/v2/auth?client_id=x&state=sesame"


class Proxy:
    """Identity-Aware Proxy before an API: browsers are sent to Google, wrong tokens are told so."""

    def __init__(self, google: Google) -> None:
        self.google = google
        self.url = ""
        self.revoked: set[str] = set()
        self.let_in: list[str] = []

    def answer(self, request: Request) -> Response:
        authorization = request.headers.get("authorization")
        if authorization is None:
            return redirect(LOGIN)
        claims = self.google.claims(authorization) or {"aud": None, "exp": 0}
        if claims["aud"] != CLIENT_ID or claims["exp"] < time.time() or authorization in self.revoked:
            said = b"Invalid IAP credentials: JWT audience doesn't match this application"
            return Response(401, said, {"X-Goog-IAP-Generated-Response": "true", "Content-Type": "text/html"})
        self.let_in.append(authorization)
        return as_json({"experiments": [], "email": claims["email"]})


@pytest.fixture
def proxy(google: Google) -> Iterator[Proxy]:
    it = Proxy(google)
    with serving(it.answer) as it.url:
        yield it


@pytest.fixture(autouse=True)
def ambient(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in google.environment(google.key_file()).items():
        monkeypatch.setenv(name, value)


def ask(proxy: Proxy, credentials: AuthProvider) -> requests.Response:
    return authenticated(
        credentials, lambda headers: requests.get(proxy.url + "/apis", headers=headers, allow_redirects=False)
    )


@pytest.mark.parametrize("variable", ["IAP_CLIENT_ID", "KF_PIPELINES_IAP_OAUTH2_CLIENT_ID"])
def test_the_variable_alone_is_enough(proxy: Proxy, variable: str) -> None:
    credentials = from_config(None, host=proxy.url, env={variable: CLIENT_ID})
    assert ask(proxy, credentials).json()["email"] == ACCOUNT


def test_configured_with_a_service_account(proxy: Proxy, google: Google) -> None:
    config = IapAuth(type="iap", client_id=CLIENT_ID, service_account=TARGET)
    assert ask(proxy, from_config(config, host=proxy.url, env={})).json()["email"] == TARGET


def test_tokens_are_renewed_while_somebody_waits_long(proxy: Proxy, google: Google) -> None:
    google.lifetime = 1.5
    credentials = from_config(IapAuth(type="iap", client_id=CLIENT_ID), host=proxy.url, env={})
    end = time.time() + 2.0
    while time.time() < end:
        assert ask(proxy, credentials).ok
        time.sleep(0.05)
    assert len(set(proxy.let_in)) >= 2


def test_a_token_that_the_proxy_no_longer_takes_is_renewed_once(proxy: Proxy, google: Google) -> None:
    credentials = from_config(IapAuth(type="iap", client_id=CLIENT_ID), host=proxy.url, env={})
    ask(proxy, credentials)
    proxy.revoked.add(proxy.let_in[0])
    assert ask(proxy, credentials).ok
    assert len(google.asked("token")) == 2


def test_a_wrong_client_id_is_told_after_one_renewal(proxy: Proxy, google: Google) -> None:
    credentials = from_config(IapAuth(type="iap", client_id="other"), host=proxy.url, env={})
    with pytest.raises(AuthError) as error:
        ask(proxy, credentials)
    said = str(error.value)
    assert said.startswith("Google Identity-Aware Proxy does not accept the credentials (a Google ID token for other)")
    assert "HTTP 401" in said
    assert "roles/iap.httpsResourceAccessor" in said
    assert len(google.asked("token")) == 2
    assert not any(token in said for token in google.issued)


def test_no_credentials_at_all_meet_the_login_page(proxy: Proxy) -> None:
    with pytest.raises(
        AuthError, match="Google Identity-Aware Proxy wants a login, and no credentials were sent"
    ) as error:
        ask(proxy, from_config(None, host=proxy.url, env={}))
    assert "sesame" not in str(error.value)
    assert "`type: iap`" in str(error.value)


def test_the_client_id_is_missing() -> None:
    with pytest.raises(AuthError, match="OAuth client of the Identity-Aware Proxy is not known"):
        from_config(IapAuth(type="iap"), host="https://example.com", env={})


def test_an_access_token_of_a_key_file(google: Google) -> None:
    credentials = from_config(GoogleAuth(type="google"), host="https://x.pipelines.googleusercontent.com", env={})
    headers = credentials.headers()
    assert headers == {"Authorization": f"Bearer {google.issued[-1]}"}
    assert google._access[google.issued[-1]] == ACCOUNT
    assert google.asked("token")[0]["scope"] == "https://www.googleapis.com/auth/cloud-platform"
    assert credentials.headers() == headers
    assert credentials.renew()
    assert credentials.headers() != headers
    assert repr(credentials) == "GoogleAccessToken()"


def test_an_access_token_of_this_machine_by_detection(google: Google) -> None:
    script = (
        "from kedro_kubeflow.auth.kubeflow import from_config; "
        "print(from_config(None, host='https://x-dot-europe.pipelines.googleusercontent.com').headers()['Authorization'])"
    )
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("GOOGLE_", "IAP_", "DEX_"))}
    env = {**keep, **google.environment(metadata=True)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert google._access[done.stdout.strip().removeprefix("Bearer ")] == DEFAULT_ACCOUNT


def test_nobody_has_no_access_token(google: Google, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(AuthError, match="No Google credentials"):
        from_config(GoogleAuth(type="google"), host="https://x", env={}).headers()
