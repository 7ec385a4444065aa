from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from auth import jwt
from auth.certificates import Authority
from auth.google_stand_in import closed_port
from auth.loopback import Request, Response, as_html, as_json, redirect, serving
from kedro_kubeflow.auth.kubeflow import AuthProvider, from_config
from kedro_kubeflow.config.auth import OidcAuth, Secret
from kedro_kubeflow.errors import AuthError, ServerError

CLIENT, SECRET = "kedro:ci", "p&ss wörd/+"


class Issuer:
    """An OpenID Connect provider that lets one client in."""

    def __init__(self) -> None:
        self.url = ""
        self.secret = SECRET
        self.answers: Response | None = None
        self.document: Response | None = None
        self.lifetime: float | None = 3600.0
        self.claims: dict[str, Any] = {}
        self.forms: list[dict[str, str]] = []
        self._key = jwt.key_of("issuer")

    def answer(self, request: Request) -> Response:
        if request.path == "/realms/team/.well-known/openid-configuration":
            return self.document or as_json(
                {"issuer": f"{self.url}/realms/team", "token_endpoint": f"{self.url}/token"}
            )
        if request.path != "/token":
            return as_html("<title>not here</title>", 404)
        self.forms.append(request.form)
        if self.answers:
            return self.answers
        if self._client(request) != (CLIENT, self.secret):
            return as_json({"error": "invalid_client", "error_description": "wrong secret", "sent": request.form}, 401)
        ends = {} if self.lifetime is None else {"expires_in": self.lifetime}
        claims = {**self.claims, "n": len(self.forms)}
        return as_json({"access_token": jwt.sign(claims, self._key), "token_type": "Bearer", **ends})

    def _client(self, request: Request) -> tuple[str, str]:
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            client, _, secret = base64.b64decode(value).decode().partition(":")
            return unquote(client), unquote(secret)
        return request.form.get("client_id", ""), request.form.get("client_secret", "")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    it = Issuer()
    with serving(it.answer) as it.url:
        yield it


def provider(at: Issuer, secret: str = SECRET, **config: Any) -> AuthProvider:
    place = {} if "issuer" in config else {"token_url": f"{at.url}/token"}
    described = OidcAuth(type="oidc", client_id=CLIENT, client_secret={"env": "SECRET"}, **{**place, **config})
    return from_config(described, host="https://kubeflow.example.com", env={"SECRET": secret})


@pytest.mark.parametrize("client_auth", ["basic", "post"])
def test_a_client_gets_a_token(issuer: Issuer, client_auth: str) -> None:
    credentials = provider(issuer, client_auth=client_auth, scope="pipelines read", audience="kubeflow")
    headers = credentials.headers()
    assert headers["Authorization"].startswith("Bearer eyJ")
    assert headers == credentials.headers()
    [form] = issuer.forms
    expected = {"grant_type": "client_credentials", "scope": "pipelines read", "audience": "kubeflow"}
    assert {k: v for k, v in form.items() if not k.startswith("client_")} == expected
    assert ("client_secret" in form) == (client_auth == "post")


def test_the_token_endpoint_is_discovered(issuer: Issuer) -> None:
    assert provider(issuer, issuer=f"{issuer.url}/realms/team/").headers()
    with pytest.raises(AuthError, match=r"does not describe itself there \(HTTP 404\)"):
        provider(issuer, issuer=f"{issuer.url}/realms/other").headers()


@pytest.mark.parametrize("says", ["expires_in", "exp"])
def test_a_token_is_renewed_before_it_expires(issuer: Issuer, says: str) -> None:
    issuer.lifetime = 1.0 if says == "expires_in" else None
    issuer.claims = {} if says == "expires_in" else {"exp": time.time() + 1.0}
    credentials = provider(issuer)
    first = credentials.headers()
    assert credentials.headers() == first
    time.sleep(0.85)
    issuer.claims = {}
    assert credentials.headers() != first


def test_after_a_refusal_another_token_is_got(issuer: Issuer) -> None:
    credentials = provider(issuer)
    first = credentials.headers()
    assert credentials.renew()
    assert credentials.headers() != first


def test_fifty_threads_ask_once(issuer: Issuer) -> None:
    credentials = provider(issuer)
    threads = [threading.Thread(target=credentials.headers) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(issuer.forms) == 1


@pytest.mark.parametrize("client_auth", ["basic", "post"])
def test_a_wrong_secret_is_said_not_shown(issuer: Issuer, client_auth: str) -> None:
    with pytest.raises(AuthError, match="refuses the client 'kedro:ci': invalid_client: wrong secret") as error:
        provider(issuer, "sesame", client_auth=client_auth).headers()
    assert "sesame" not in str(error.value)
    assert "client credentials grant" in str(error.value)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (as_json({}, 503), ServerError, r"fails \(HTTP 503\)"),
        (as_json({}, 429), ServerError, r"fails \(HTTP 429\)"),
        (as_html("<title>Sign in</title>"), AuthError, "HTTP 200 without a token"),
        (as_json(["no"]), AuthError, "HTTP 200 without a token"),
        (
            redirect("https://elsewhere.example.com"),
            AuthError,
            "sends to another address: the client's secret is not sent there",
        ),
    ],
)
def test_answers_that_are_no_token(issuer: Issuer, answer: Response, kind: type[Exception], said: str) -> None:
    issuer.answers = answer
    with pytest.raises(kind, match=said):
        provider(issuer).headers()


def test_nobody_listens(issuer: Issuer) -> None:
    with pytest.raises(ServerError, match="The token endpoint cannot be reached"):
        provider(issuer, token_url=f"http://127.0.0.1:{closed_port()}/token").headers()


def described(by: Issuer, **said: str) -> Response:
    return as_json({"issuer": f"{by.url}/realms/team", "token_endpoint": f"{by.url}/token", **said})


def test_a_document_of_another_issuer_is_not_believed(issuer: Issuer) -> None:
    """OpenID Connect Discovery 1.0, 4.3."""
    issuer.document = described(issuer, issuer="https://evil.example.com")
    with pytest.raises(AuthError, match=r"calls itself 'https://evil\.example\.com', and not") as error:
        provider(issuer, issuer=f"{issuer.url}/realms/team").headers()
    assert "give `token_url` in place of `issuer`" in str(error.value)
    assert issuer.forms == []


def test_no_secret_goes_to_plain_http_after_an_https_issuer(tmp_path: Path) -> None:
    """Kubeflow's own Dex names its address inside of the cluster."""
    heard: list[Request] = []

    def stranger(request: Request) -> Response:
        heard.append(request)
        return as_json({"access_token": "x"})

    issuer, authority = Issuer(), Authority(tmp_path)
    with serving(stranger) as other, serving(issuer.answer, authority.context("127.0.0.1")) as issuer.url:
        issuer.document = described(issuer, token_endpoint=f"{other}/dex/token")
        config = OidcAuth(
            type="oidc", client_id=CLIENT, client_secret=Secret(env="SECRET"), issuer=f"{issuer.url}/realms/team"
        )
        credentials = from_config(config, host=issuer.url, env={"SECRET": SECRET}, verify=str(authority.ca_file))
        with pytest.raises(AuthError, match=f"token_endpoint is plain http, {other}/dex/token: no secret") as error:
            credentials.headers()
    assert "give `token_url` in place of `issuer`" in str(error.value)
    assert heard == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("client_auth", ["basic", "post"])
def test_no_redirect_takes_the_secret_along(issuer: Issuer, status: int, client_auth: str) -> None:
    heard: list[Request] = []

    def stranger(request: Request) -> Response:
        heard.append(request)
        return as_json({"access_token": "x", "issuer": "x"})

    with serving(stranger) as other:
        issuer.answers = issuer.document = redirect(f"{other}/token", status)
        with pytest.raises(AuthError, match=r"is right, write it as `token_url`"):
            provider(issuer, client_auth=client_auth).headers()
        with pytest.raises(AuthError, match=f"it sends to {other}/token"):
            provider(issuer, client_auth=client_auth, issuer=f"{issuer.url}/realms/team").headers()
    assert heard == []


def test_a_provider_that_is_away_for_a_moment(issuer: Issuer) -> None:
    away = iter([502, 503])

    def restarting(request: Request) -> Response:
        status = next(away, None)
        return as_json({}, status) if status else issuer.answer(request)

    with serving(restarting) as url:
        assert provider(issuer, token_url=f"{url}/token").headers()


def test_a_netrc_is_none_of_our_business(issuer: Issuer, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("default login other password other")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert provider(issuer, client_auth="post").headers()


def test_nothing_secret_is_shown(issuer: Issuer) -> None:
    credentials = provider(issuer)
    credentials.headers()
    assert repr(credentials) == f"ClientCredentials('{issuer.url}/token', 'kedro:ci')"
