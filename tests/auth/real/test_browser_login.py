"""A person's login at a real OpenID Connect provider."""

from __future__ import annotations

import json
import logging
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from auth import jwt
from auth.loopback import Request, Response, as_html, as_json, redirect, serving
from auth.real.person import Person, go_through
from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.kubeflow import authenticated, from_config
from kedro_kubeflow.auth.kubeflow.browser import BrowserLogin
from kedro_kubeflow.auth.kubeflow.login import log_in, log_in_elsewhere, log_out
from kedro_kubeflow.auth.kubeflow.login_store import LoginStore
from kedro_kubeflow.auth.kubeflow.loopback_callback import callback
from kedro_kubeflow.config.auth import BrowserAuth
from kedro_kubeflow.errors import AuthError, ServerError

pytest.importorskip("authlib")
AROUND = Surroundings("https://kubeflow.example.com", {})


def config(issuer: str, **more: Any) -> BrowserAuth:
    return BrowserAuth(type="browser", issuer=issuer, **{"prompt": "consent", **more})


def kept(logins: Path) -> dict[str, Any]:
    [file] = logins.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def claims(header: dict[str, str]) -> dict[str, Any]:
    return jwt.claims(header["Authorization"].removeprefix("Bearer "))


def logged_in(issuer: str, **more: Any) -> BrowserLogin:
    described = config(issuer, **more)
    log_in(described, AROUND, open_browser=Person)
    return BrowserLogin(described, AROUND)


def test_a_person_logs_in_and_out(issuer: str, logins: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    person = log_in(config(issuer), AROUND, open_browser=Person)
    assert (person.name, person.renewed) == ("ann@example.com", True)
    assert time.time() < person.expires_at < time.time() + 700
    provider = from_config(config(issuer), host="https://kubeflow.example.com")
    said = claims(provider.headers())
    assert (said["iss"], said["aud"], said["email"]) == (issuer, "kedro-kubeflow", "ann@example.com")
    assert claims(provider.headers()) == said
    tokens = kept(logins)
    assert not [
        v for k, v in tokens.items() if k.endswith("token") and (str(v) in caplog.text or str(v) in repr(provider))
    ]

    assert log_out(config(issuer), AROUND)
    assert list(logins.iterdir()) == []
    assert not log_out(config(issuer), AROUND)
    with pytest.raises(AuthError, match="Nobody is logged in") as error:
        from_config(config(issuer), host="https://kubeflow.example.com").headers()
    assert error.value.cure == "kedro kubeflow login"
    # The provider was told: its refresh token is good for nothing.
    LoginStore(issuer, "kedro-kubeflow").save({**tokens, "id_token": "old", "expires_at": 1})
    with pytest.raises(AuthError, match="The OpenID Connect provider refuses: invalid_grant"):
        BrowserLogin(config(issuer), AROUND).headers()


def test_the_login_is_renewed_by_its_refresh_token(issuer: str, logins: Path) -> None:
    provider = logged_in(issuer)
    first, before = provider.headers(), kept(logins)
    time.sleep(1.1)
    assert provider.renew()
    second, after = provider.headers(), kept(logins)
    assert first != second
    assert claims(second)["iat"] > claims(first)["iat"]
    # The provider rotates it; a process that comes later takes the new one.
    assert after["refresh_token"] != before["refresh_token"]
    assert BrowserLogin(config(issuer), AROUND).headers() == second


def test_another_process_was_faster(issuer: str, logins: Path) -> None:
    slow, fast = logged_in(issuer), BrowserLogin(config(issuer), AROUND)
    slow.headers()
    time.sleep(1.1)
    assert slow.renew()
    assert fast.renew()
    new = fast.headers()
    assert slow.headers() == new


def test_a_provider_that_is_away_while_the_token_still_holds(logins: Path) -> None:
    now = time.time()
    kept = {"refresh_token": "r", "obtained_at": now - 900}
    nowhere = "http://127.0.0.1:9"
    store = LoginStore(nowhere, "kedro-kubeflow")
    store.save({**kept, "id_token": jwt.sign({"exp": now + 60}, jwt.key_of("i"))})
    provider = BrowserLogin(config(nowhere), AROUND)
    assert provider.headers()
    # One that was refused, or is over, does not hold.
    assert provider.renew()
    with pytest.raises(ServerError, match="cannot be reached"):
        provider.headers()
    store.save({**kept, "id_token": jwt.sign({"exp": now - 1}, jwt.key_of("i"))})
    with pytest.raises(ServerError, match="cannot be reached"):
        BrowserLogin(config(nowhere), AROUND).headers()


def test_without_a_refresh_token(issuer: str, logins: Path) -> None:
    provider = logged_in(issuer, scope="openid email")
    assert provider.headers()
    assert "refresh_token" not in kept(logins)
    assert not provider.renew()
    with pytest.raises(AuthError, match="has no refresh token") as error:
        provider.headers()
    assert "offline_access" in str(error.value.cure)


def test_access_tokens_for_gateways_that_take_those(issuer: str, logins: Path) -> None:
    provider = logged_in(issuer, token="access_token")
    assert provider.headers() == {"Authorization": f"Bearer {kept(logins)['access_token']}"}


def test_a_login_on_another_device(issuer: str, logins: Path) -> None:
    people: list[Person] = []

    def show(url: str, code: str) -> None:
        assert url.startswith(f"{issuer}/device")
        people.append(Person(url, code=code, name="bob"))

    person = log_in_elsewhere(config(issuer), AROUND, show=show, sleep=lambda _: time.sleep(0.2))
    assert person.name == "bob@example.com"
    assert claims(BrowserLogin(config(issuer), AROUND).headers())["email"] == "bob@example.com"


@pytest.mark.parametrize(
    ("more", "said"),
    [({"client_id": "nobody"}, "invalid_client"), ({"redirect": "http://localhost/other"}, "redirect_uri")],
)
def test_a_client_that_the_provider_does_not_know(issuer: str, logins: Path, more: dict[str, str], said: str) -> None:
    """It shows a page of its own, and does not lead back: the person reads it there."""
    shown: list[str] = []

    def look(url: str) -> None:
        shown.append(go_through(url).text)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        log_in(config(issuer, **more), AROUND, open_browser=look)
    assert said in shown[0]
    assert not logins.exists()


def test_a_person_who_declines(issuer: str, logins: Path) -> None:
    def decline(url: str) -> None:
        with requests.Session() as browser:
            page = browser.get(url, timeout=20)
            browser.get(f"{page.url}/abort", timeout=20)

    def beside(url: str) -> None:
        threading.Thread(target=decline, args=(url,), daemon=True).start()

    with pytest.raises(AuthError, match="The login was refused: access_denied") as error:
        log_in(config(issuer), AROUND, open_browser=beside)
    assert "public client" in str(error.value.cure)


def test_an_issuer_that_calls_itself_otherwise(issuer: str, logins: Path) -> None:
    other = issuer.replace("127.0.0.1", "localhost")
    with pytest.raises(AuthError, match=f"calls itself '{issuer}'"):
        log_in(config(other), AROUND, open_browser=Person)


class TestCallback:
    """What comes to the port on this machine."""

    def test_others_are_not_heeded(self) -> None:
        with callback("http://127.0.0.1/callback") as here:
            seen: list[int] = []

            def knock(*urls: str) -> None:
                def go() -> None:
                    seen.extend(requests.get(url, timeout=10).status_code for url in urls)

                threading.Thread(target=go, daemon=True).start()

            strange = [f"{here.url}?code=1&state=other", f"{here.url}?code=1", here.url, f"{here.url}/x?code=1&state=s"]
            knock(*strange, f"{here.url}?code=right&state=s")
            assert here.wait("s", 20).endswith("?code=right&state=s")
        assert seen[:4] == [404] * 4

    def test_nobody_comes(self) -> None:
        with (
            callback("http://127.0.0.1/callback") as here,
            pytest.raises(AuthError, match="Nobody has logged in within"),
        ):
            here.wait("s", 0.2)

    def test_a_port_that_is_taken(self) -> None:
        with callback("http://127.0.0.1/callback") as here:
            taken = callback(here.url)
            with pytest.raises(AuthError, match="Nothing can listen for the browser"):
                taken.__enter__()

    def test_what_the_provider_says_is_shown_as_text(self) -> None:
        with callback("http://127.0.0.1/callback") as here:
            here.state = "s"
            status, said = here.take("/callback?error=<script>&state=s")
            assert (status, "<script>" in said) == (200, True)
            here.answer = None


def described(by: str, **said: str) -> Response:
    ends = {name: f"{by}/{name}" for name in ("authorization_endpoint", "token_endpoint", "revocation_endpoint")}
    return as_json({"issuer": by, **ends, **said})


def answering(request: Request, token: Response, **said: str) -> Response:
    """A provider that lets everybody in, whose token endpoint answers as a test wants it."""
    by = f"http://{request.headers['host']}"
    if request.path.endswith("openid-configuration"):
        return described(by, **said)
    if request.path == "/authorization_endpoint":
        return redirect(f"{request.query['redirect_uri']}?code=c&state={request.query['state']}")
    return token


@pytest.mark.parametrize(
    ("token", "kind", "said"),
    [
        (
            as_json({"error": "invalid_grant", "error_description": "too late"}, 400),
            AuthError,
            "invalid_grant: too late",
        ),
        (as_json({}, 503), ServerError, r"fails \(HTTP 503\)"),
        (as_html("<title>Sign in</title>"), AuthError, "gives no token"),
        (redirect("https://evil.example.com/token", 307), AuthError, "sends to another address"),
        (as_json({"access_token": "x", "token_type": "Bearer"}), AuthError, "has given no id_token"),
        (
            as_json({"access_token": "x", "token_type": "Bearer", "id_token": jwt.sign({"iss": "x"}, jwt.key_of("i"))}),
            AuthError,
            "a token that is for somebody else",
        ),
    ],
)
def test_answers_that_are_no_login(token: Response, kind: type[Exception], said: str, logins: Path) -> None:
    with serving(lambda request: answering(request, token)) as url, pytest.raises(kind, match=said):
        log_in(config(url), AROUND, open_browser=Person)
    assert not logins.exists()


def test_neither_refresh_token_nor_netrc_go_to_strangers(logins: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "netrc").write_text("default login ann password from-netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heard: list[Request] = []

    def stranger(request: Request) -> Response:
        heard.append(request)
        return as_json({})

    seen: list[Request] = []
    with serving(stranger) as other:

        def issuer(request: Request) -> Response:
            seen.append(request)
            return answering(request, redirect(f"{other}/token", 308))

        with serving(issuer) as url:
            LoginStore(url, "kedro-kubeflow").save({"id_token": "old", "refresh_token": "s3cret", "expires_at": 1})
            with pytest.raises(AuthError, match="sends to another address"):
                BrowserLogin(config(url), AROUND).headers()
            assert log_out(config(url), AROUND)
    assert heard == []
    assert not [request for request in seen if "authorization" in request.headers]


@pytest.mark.parametrize(
    ("answer", "what", "cure"),
    [
        (as_json({}, 401), "oauth2-proxy, or what stands in its place, does not take", "extra_jwt_issuers = "),
        (
            redirect("/dex/auth?redirect_uri=/oauth2/callback"),
            "does not take the login's token",
            "skip_jwt_bearer_tokens",
        ),
        (Response(401, b"Jwt issuer is not configured"), "no `issuer: https://id.example.com` in a Req", "Istio"),
        (Response(403, b"Audiences in Jwt are not allowed"), "the audience 'kedro-kubeflow' is not among", "Istio"),
        (Response(401, b"Jwt verification fails"), "`jwksUri` of the RequestAuthentication", "Istio"),
        (Response(403, b"RBAC: access denied"), "no AuthorizationPolicy lets requests", "Istio"),
        (as_json({"code": 16, "message": "no user identity header"}, 401), "outputClaimToHeaders", "Istio"),
    ],
)
def test_what_is_missing_at_the_gateway(answer: Response, what: str, cure: str, logins: Path) -> None:
    LoginStore("https://id.example.com", "kedro-kubeflow").save(
        {"id_token": jwt.sign({"exp": time.time() + 600}, jwt.key_of("i"))}
    )
    provider = from_config(config("https://id.example.com"), host="https://kubeflow.example.com")
    with serving(lambda _: answer) as url, pytest.raises(AuthError) as error:
        authenticated(provider, lambda headers: requests.get(url, headers=headers, allow_redirects=False, timeout=10))
    assert what in error.value.what
    assert cure in str(error.value.cure)
