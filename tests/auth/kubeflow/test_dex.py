from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from auth.certificates import Authority
from auth.google_stand_in import closed_port
from auth.kubeflow_stand_in import PASSWORD, SESSION, USER, Kubeflow, kubeflow
from auth.loopback import Request, Response, as_html, redirect, serving
from kedro_kubeflow.auth.kubeflow import AuthProvider, authenticated, from_config
from kedro_kubeflow.config.auth import DexAuth
from kedro_kubeflow.errors import AuthError, ServerError

ENV = {"DEX_USERNAME": USER, "DEX_PASSWORD": PASSWORD}


@pytest.fixture(params=["oauth2-proxy", "authservice"])
def door(request: pytest.FixtureRequest) -> Iterator[Kubeflow]:
    with kubeflow(guard=request.param) as it:
        yield it


def provider(
    door: Kubeflow, env: dict[str, str] | None = None, verify: bool | str = True, **config: Any
) -> AuthProvider:
    described = DexAuth(type="dex", **config)
    return from_config(described, host=f"{door.url}/pipeline", env=ENV if env is None else env, verify=verify)


def experiments(door: Kubeflow, credentials: AuthProvider, verify: bool | str = True) -> requests.Response:
    def send(headers: dict[str, str]) -> requests.Response:
        url = f"{door.url}/pipeline/apis/v2beta1/experiments"
        return requests.get(url, headers=headers, allow_redirects=False, verify=verify)

    return authenticated(credentials, send)


@dataclass
class Stranger:
    url: str = ""
    heard: list[Request] = field(default_factory=list)


@contextmanager
def stranger(answer: Response | None = None) -> Iterator[Stranger]:
    """Somebody on another address, who should hear nothing."""
    it = Stranger()

    def listen(request: Request) -> Response:
        it.heard.append(request)
        return answer or as_html("<title>thank you</title>")

    with serving(listen) as url:
        it.url = url.replace("127.0.0.1", "localhost")
        yield it


def test_a_login_opens_the_api(door: Kubeflow) -> None:
    credentials = provider(door)
    assert experiments(door, credentials).json()["experiments"] == []
    assert list(credentials.headers()) == ["Cookie"]
    assert credentials.headers()["Cookie"].startswith(f"{SESSION[door.guard]}=")
    # Nothing of the way there is sent along.
    assert "csrf" not in credentials.headers()["Cookie"]
    experiments(door, credentials)
    assert door.logins == 1


@pytest.mark.parametrize(
    "options",
    [
        {"approval": True},
        {"connectors": ("local", "github")},
        {"connectors": ("github", "local"), "approval": True},
        {"parts": 2},
    ],
    ids=str,
)
def test_ways_that_dex_may_be_set_up(door: Kubeflow, options: dict[str, Any]) -> None:
    for name, value in options.items():
        setattr(door, name, value)
    assert experiments(door, provider(door)).ok
    assert door.logins == 1


@pytest.mark.parametrize("greeting", ["page", "bare"])
@pytest.mark.parametrize("connectors", [("local",), ("local", "github")])
def test_ways_that_oauth2_proxy_may_greet(greeting: str, connectors: tuple[str, ...]) -> None:
    with kubeflow(greeting=greeting, connectors=connectors) as door:
        assert experiments(door, provider(door)).ok


def test_an_expired_session_is_renewed_once(door: Kubeflow) -> None:
    credentials = provider(door)
    experiments(door, credentials)
    door.revoke()
    assert experiments(door, credentials).ok
    assert door.logins == 2


def test_twenty_threads_renew_an_expired_session_once(door: Kubeflow) -> None:
    credentials = provider(door)
    experiments(door, credentials)
    everybody_refused = threading.Barrier(20)
    answers: list[bool] = []

    def ask() -> None:
        def send(headers: dict[str, str]) -> requests.Response:
            url = f"{door.url}/pipeline/apis/v2beta1/experiments"
            answer = requests.get(url, headers=headers, allow_redirects=False)
            if not answer.ok or answer.is_redirect:
                everybody_refused.wait()
            return answer

        answers.append(authenticated(credentials, send).ok)

    door.revoke()
    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 20
    assert door.logins == 2


def test_a_session_that_says_when_it_ends_is_renewed_before() -> None:
    with kubeflow(lifetime=2.0, attributes="; Path=/; Max-Age=2") as door:
        credentials = provider(door)
        experiments(door, credentials)
        time.sleep(1.8)
        assert experiments(door, credentials).ok
        assert door.logins == 2
        assert all(status == 200 for path, status in door.seen if "apis" in path)


def test_a_session_that_is_refused_again_and_again(door: Kubeflow) -> None:
    door.deaf = True
    with pytest.raises(AuthError) as error:
        experiments(door, provider(door))
    # The first login, and one renewal.
    assert door.logins == 2
    said = str(error.value)
    assert said.startswith(
        f"{door.guard} does not accept the credentials (the login of environment variable DEX_USERNAME"
    )
    assert "environment variable DEX_USERNAME" in said
    assert "cure:" in said


def test_fifty_threads_log_in_once(door: Kubeflow) -> None:
    credentials = provider(door)
    cookies: list[str] = []
    threads = [threading.Thread(target=lambda: cookies.append(credentials.headers()["Cookie"])) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cookies) == 50
    assert len(set(cookies)) == 1
    assert door.logins == 1


@pytest.mark.parametrize(
    "env",
    [{**ENV, "DEX_PASSWORD": "wrong horse"}, {**ENV, "DEX_USERNAME": "nobody@example.com"}],
    ids=["password", "user"],
)
def test_a_wrong_password_is_said_not_shown(door: Kubeflow, env: dict[str, str]) -> None:
    with pytest.raises(AuthError, match="Dex refuses the user") as error:
        provider(door, env).headers()
    said = str(error.value)
    assert env["DEX_USERNAME"] in said
    assert f"{door.url}/dex/auth/local/login" in said
    assert "check DEX_USERNAME and DEX_PASSWORD" in said
    assert env["DEX_PASSWORD"] not in said
    assert "state=" not in said


@pytest.mark.parametrize("missing", ENV)
def test_a_missing_variable(door: Kubeflow, missing: str) -> None:
    with pytest.raises(AuthError, match=f"{missing} is not set"):
        provider(door, {k: v for k, v in ENV.items() if k != missing}).headers()


def test_credentials_from_elsewhere(door: Kubeflow, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    assert experiments(door, provider(door, {}, username=USER, password={"file": str(tmp_path / "password")})).ok


def test_a_connector_that_does_not_exist(door: Kubeflow) -> None:
    door.connectors = ("ldap", "github")
    with pytest.raises(AuthError, match="Dex has no connector 'local', only github, ldap"):
        provider(door).headers()


def test_dex_is_broken(door: Kubeflow) -> None:
    door.broken = True
    with pytest.raises(ServerError, match="The login fails with HTTP 500"):
        provider(door).headers()


def test_a_server_without_a_guard_needs_no_login(caplog: pytest.LogCaptureFixture) -> None:
    with serving(lambda _: as_html("<title>Pipelines</title>")) as url, caplog.at_level(logging.INFO):
        assert from_config(DexAuth(type="dex"), host=url, env=ENV).headers() == {}
    assert "asks for no login" in caplog.text


def test_another_guard_than_dex() -> None:
    with (
        serving(lambda _: as_html("<title>403</title>Forbidden", 403)) as url,
        pytest.raises(AuthError, match="a page without a form that we know") as error,
    ):
        from_config(DexAuth(type="dex"), host=url, env=ENV).headers()
    assert "with another identity provider than Dex" in str(error.value)


def test_the_password_is_for_dex_only() -> None:
    """A host that sends elsewhere without an authorization request."""
    with stranger() as other, serving(lambda _: redirect(other.url)) as url:
        with pytest.raises(AuthError, match="The login leads to another host") as error:
            from_config(DexAuth(type="dex"), host=f"{url}/pipeline", env=ENV).headers()
        assert other.heard == []
    # Its own address, in case that it is Kubeflow's after all.
    assert f"write {other.url}/pipeline under `host`" in str(error.value)


def test_a_login_of_another_kind_at_the_announced_host() -> None:
    """A host behind another identity provider announces that one's form."""
    page = '<form method="post" action="/signin"><input name="email"><input name="p" type="password"></form>'
    with stranger(as_html(page)) as other, kubeflow(dex=other.url) as door:
        with pytest.raises(AuthError, match="no login of Dex: the password is not sent there"):
            provider(door).headers()
        assert [request.method for request in other.heard] == ["GET"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_password_to_a_stranger(door: Kubeflow, status: int) -> None:
    with stranger() as other:
        door.answers_login = redirect(f"{other.url}/dex/auth/local/login", status)
        with pytest.raises(AuthError, match=r"leads to another host|sent on to another address"):
            provider(door).headers()
        assert other.heard == []


@pytest.mark.parametrize("status", [307, 308])
def test_not_even_between_the_door_and_its_own_login(status: int) -> None:
    """Dex on a host of its own sends the form on: to the door, which has not asked for it."""
    with kubeflow() as door:
        door.dex = door.url.replace("127.0.0.1", "localhost")
        door.answers_login = redirect(f"{door.url}/collect", status)
        with pytest.raises(AuthError, match="wants its form sent on to another address"):
            provider(door).headers()
        assert ("/collect", 200) not in door.seen


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_within_dex_a_redirect_does_as_http_says(door: Kubeflow, status: int, method: str) -> None:
    heard: list[Request] = []
    answer = door.answer

    def listening(request: Request) -> Response:
        heard.append(request)
        return answer(request)

    door.answers_login = redirect("/dex/auth/local/second", status)
    with serving(listening) as door.url, pytest.raises(AuthError):
        provider(door).headers()
    [second] = [request for request in heard if request.path.endswith("/second")]
    assert second.method == method
    assert (PASSWORD.replace(" ", "+") in second.body.decode()) == (method == "POST")


def test_dex_at_another_host() -> None:
    with kubeflow() as door:
        door.dex = door.url.replace("127.0.0.1", "localhost")
        assert experiments(door, provider(door)).ok
        # Only the path of Dex tells that it is Dex, and which connector.
        with pytest.raises(AuthError, match="connector 'local', and `connector` is 'ldap'") as error:
            provider(door, connector="ldap").headers()
        assert "set `connector: local` under `auth`" in str(error.value)


def test_no_page_sends_the_password_to_a_third_host() -> None:
    with stranger() as other, kubeflow() as door:
        door.dex = door.url.replace("127.0.0.1", "localhost")
        door.login_action = f"{other.url}/dex/auth/local/login"
        with pytest.raises(AuthError, match="leads to another host"):
            provider(door).headers()
        assert other.heard == []


@pytest.mark.parametrize("entry", ["default", "machine 127.0.0.1"])
def test_nothing_is_taken_from_netrc(door: Kubeflow, entry: str, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "netrc").write_text(f"{entry} login ann password from-netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heard: list[Request] = []
    answer = door.answer

    def listening(request: Request) -> Response:
        heard.append(request)
        return answer(request)

    with serving(listening) as door.url:
        assert provider(door).headers()
    assert len(heard) > 4
    assert not [request for request in heard if "authorization" in request.headers]


def test_a_way_back_to_another_address_is_said_before_the_password() -> None:
    with kubeflow() as door:
        host = door.url.replace("127.0.0.1", "localhost")
        with pytest.raises(AuthError, match=f"would lead back to {door.url}, and not to `host`") as error:
            from_config(DexAuth(type="dex"), host=f"{host}/pipeline", env=ENV).headers()
        assert f"write {door.url}/pipeline under `host`" in str(error.value)
        assert door.logins == 0


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (
            "<title>Second factor</title><form method=post action=/dex/totp><input type=password name=otp></form>"
            "<p>Enter the code of your authenticator</p><script>var x = 1</script>",
            "that is not its end: Second factor: Enter the code of your authenticator\n",
        ),
        ("<title>Error</title><p>Your account is locked.", "that is not its end: Error: Your account is locked."),
        (
            "<h1>Consent</h1><form action=/dex/consent><input type=checkbox name=yes></form>",
            "not its end: untitled: Co",
        ),
    ],
    ids=["second factor", "error", "consent"],
)
def test_a_page_that_is_no_end(door: Kubeflow, page: str, words: str) -> None:
    door.answers_login = as_html(page)
    with pytest.raises(AuthError) as error:
        provider(door).headers()
    assert words in str(error.value)
    assert "type: browser" in str(error.value)


def test_the_login_leads_back_with_an_error(door: Kubeflow) -> None:
    door.callback_error = "login_required"
    with pytest.raises(AuthError, match="The login was refused: login_required: a person is wanted"):
        provider(door).headers()


def test_a_cookie_of_the_way_is_no_session(door: Kubeflow) -> None:
    door.attributes = "; Path=/elsewhere"
    with pytest.raises(AuthError, match="the host keeps no session"):
        provider(door).headers()


@pytest.mark.parametrize("secure_callback", [False, True])
def test_secure_cookies_through_a_port_forward(door: Kubeflow, secure_callback: bool) -> None:
    """As browsers do: what leads to this machine needs no TLS."""
    door.attributes, door.secure_callback = "; Path=/; Secure", secure_callback
    door.url = door.url.replace("127.0.0.1", "localhost")
    assert experiments(door, provider(door)).ok


def test_a_front_that_is_away_for_a_moment(door: Kubeflow) -> None:
    away = iter([503, 502])

    def restarting(request: Request) -> Response:
        status = next(away, None)
        return as_html("<title>Bad Gateway</title>", status) if status else door.answer(request)

    with serving(restarting) as door.url:
        assert experiments(door, provider(door)).ok
    assert door.logins == 1


BROKEN = [
    "https://[broken",
    "//",
    "https://host:99999/",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "https://",
    "\u00e9://x",
    "http:",
]


@pytest.mark.parametrize("address", BROKEN)
@pytest.mark.parametrize("place", ["greeting", "action", "answer", "callback"])
def test_addresses_that_are_none(door: Kubeflow, address: str, place: str) -> None:
    if place == "greeting":
        door.greets_with = redirect(address.encode().decode("latin-1"))
    elif place == "action":
        # These two stand for the page itself.
        door.login_action = address if address not in ("//", "http:") else "https:///"
    elif place == "answer":
        door.answers_login = redirect(address.encode().decode("latin-1"))
    else:
        door.greets_with = redirect(f"/dex/auth?client_id=c&state=s&redirect_uri={quote(address)}")
    with pytest.raises((AuthError, ServerError)) as error:
        provider(door).headers()
    assert error.value.cure
    assert door.logins == 0


def test_a_door_that_goes_round_in_circles() -> None:
    with (
        serving(lambda request: redirect(request.path)) as url,
        pytest.raises(ServerError, match="redirects in circles"),
    ):
        from_config(DexAuth(type="dex"), host=url, env=ENV).headers()
    page = '<form method="get" action="/oauth2/start"></form>'
    with serving(lambda _: as_html(page)) as url, pytest.raises(AuthError, match="does not end after 8 pages"):
        from_config(DexAuth(type="dex"), host=url, env=ENV).headers()


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("http://127.0.0.1:{closed}", "nobody listens there"),
        ("http://no-such-host.invalid", "the host's name is not known"),
        ("https://127.0.0.1:{plain}", "there is no TLS at that port"),
    ],
)
def test_the_words_of_a_host_that_cannot_be_reached(host: str, words: str) -> None:
    with serving(lambda _: as_html("")) as url:
        address = host.format(closed=closed_port(), plain=url.rpartition(":")[2])
        with pytest.raises(ServerError, match=f"Kubeflow's login cannot be reached: .*{words}"):
            from_config(DexAuth(type="dex"), host=address, env=ENV).headers()


def test_a_session_that_the_host_forgets_at_once(door: Kubeflow) -> None:
    door.lifetime = -1.0
    with pytest.raises(AuthError, match="Dex accepted the login, but the host keeps no session"):
        provider(door).headers()
    assert door.logins == 1


class TestTls:
    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        return Authority(tmp_path)

    def test_the_own_ca_is_trusted(self, authority: Authority) -> None:
        with kubeflow(authority.context("127.0.0.1"), attributes="; Path=/; Secure") as door:
            ca = str(authority.ca_file)
            assert experiments(door, provider(door, verify=ca), verify=ca).ok

    def test_an_unknown_ca_is_refused_by_default(self, authority: Authority) -> None:
        with (
            kubeflow(authority.context("127.0.0.1")) as door,
            pytest.raises(ServerError, match="the server's certificate is not trusted") as error,
        ):
            provider(door).headers()
        assert "ssl_ca_cert" in str(error.value)
        assert door.seen == []

    def test_the_password_is_not_sent_in_clear_by_a_page_that_came_encrypted(self, authority: Authority) -> None:
        with kubeflow(authority.context("127.0.0.1")) as door:
            door.login_action = door.url.replace("https", "http") + "/dex/auth/local/login"
            with pytest.raises(AuthError, match="leads from https:// to http://"):
                provider(door, verify=str(authority.ca_file)).headers()
