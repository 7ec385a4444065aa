"""What lies between us and the server: networks, TLS, proxies, logins."""

from __future__ import annotations

import base64
import http.server
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from kfp_server import LOGIN_PAGE, NO_UPSTREAM, Answer, Gate, KfpServer, Reset, Slow, gateway

from kedro_kubeflow.errors import AuthError, ConfigError, ServerError
from kedro_kubeflow.targets.kubeflow import KubeflowClient, connect
from kedro_kubeflow.targets.kubeflow.tls import Tls
from targets.kubeflow.conftest import QUICK, Connect

LIST = "GET /apis/v2beta1/pipelines"


def look(client: KubeflowClient) -> list[str]:
    return [p.name for p in client.pipelines.list()]


class Bearer:
    """A token that can be renewed so many times."""

    def __init__(self, token: str, *renewed: str) -> None:
        self.token, self.renewed, self.renewals = token, list(renewed), 0

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def renew(self) -> bool:
        self.renewals += 1
        if not self.renewed:
            return False
        self.token = self.renewed.pop(0)
        return True


class TestTrouble:
    @pytest.mark.parametrize(
        "fault",
        [
            Answer(500, b'{"code": 13, "message": "InternalServerError: deadlock"}'),
            NO_UPSTREAM,
            gateway(502, "bad gateway"),
            gateway(504, "upstream request timeout"),
            gateway(429, "slow down"),
            gateway(404, "no route"),
            Reset(),
            Reset(after=True),
            Slow(0.5),
        ],
        ids=str,
    )
    def test_a_question_is_asked_again(self, server: KfpServer, client: KubeflowClient, fault: object) -> None:
        server.pipelines.create({"name": "there"})
        server.faults.add(LIST, fault, times=2)  # type: ignore[arg-type]
        assert look(client) == ["there"]

    def test_a_server_that_stays_ill(self, server: KfpServer, client: KubeflowClient) -> None:
        server.faults.add(LIST, NO_UPSTREAM, times=10)
        with pytest.raises(ServerError, match="no healthy upstream") as caught:
            look(client)
        assert "down or restarting" in str(caught.value)
        assert len(server.requests(LIST)) == 4
        assert caught.value.exit_code == 6

    def test_a_restart_in_between(self, server: KfpServer, client: KubeflowClient) -> None:
        assert look(client) == []
        with server.away():
            pass
        assert look(client) == []

    def test_nobody_listens(self, client_of: Connect, server: KfpServer) -> None:
        client = client_of(server)
        with server.away(), pytest.raises(ServerError, match="nobody listens") as caught:
            look(client)
        assert caught.value.where == server.url
        assert "host" in str(caught.value.cure)

    def test_an_unknown_name(self) -> None:
        with pytest.raises(ServerError, match="name is not known"):
            look(connect("http://no-such-host.invalid", patience=QUICK))

    def test_a_server_that_hangs(self, server: KfpServer, client: KubeflowClient) -> None:
        server.faults.add(LIST, Slow(0.5), times=10)
        with pytest.raises(ServerError, match="did not answer in time"):
            look(client)

    def test_another_server(self, client_of: Connect) -> None:
        with KfpServer(prefix="/pipeline") as server:
            client = connect(server.url.removesuffix("/pipeline"), namespace="x", patience=QUICK)
            client.server.connection.sleep = lambda _: None
            with pytest.raises(ServerError, match="no Kubeflow Pipelines API at that address") as caught:
                look(client)
            assert "/pipeline" in str(caught.value.cure)

    def test_a_path_before_the_api(self, client_of: Connect) -> None:
        with KfpServer(prefix="/some/pipeline") as server:
            assert look(client_of(server)) == []

    def test_a_refusal_says_what_the_server_said(self, multi_user_server: KfpServer, client_of: Connect) -> None:
        with pytest.raises(AuthError, match="namespace 'others'") as caught:
            look(client_of(multi_user_server, namespace="others"))
        assert "namespace 'others'" in str(caught.value)
        assert "`namespace`" in str(caught.value.cure)
        assert caught.value.exit_code == 4

    def test_a_server_with_users_wants_a_namespace(self, multi_user_server: KfpServer, client_of: Connect) -> None:
        with pytest.raises(ConfigError, match="several users"):
            look(client_of(multi_user_server))
        assert look(client_of(multi_user_server, namespace="team-a")) == []

    def test_pages_that_repeat(self, server: KfpServer, client: KubeflowClient) -> None:
        body = b'{"pipelines": [{"pipeline_id": "1", "display_name": "p", "name": "p"}], "next_page_token": "x"}'
        server.faults.add(LIST, Answer(200, body), times=5)
        assert look(client) == ["p", "p"]


class TestLogin:
    @pytest.mark.parametrize("refuses", ["401", "403", "login page", "redirect"])
    def test_an_expired_token_is_renewed_once(self, client_of: Connect, server: KfpServer, refuses: str) -> None:
        server.gate = Gate({"new"}, refuses)  # type: ignore[arg-type]
        who = Bearer("old", "new")
        assert look(client_of(server, credentials=who)) == []
        assert who.renewals == 1

    @pytest.mark.parametrize("refuses", ["401", "403", "login page", "redirect"])
    @pytest.mark.parametrize("renewed", [(), ("wrong too", "never asked for")])
    def test_and_then_it_is_an_error(
        self, client_of: Connect, server: KfpServer, refuses: str, renewed: tuple[str, ...]
    ) -> None:
        server.gate = Gate({"new"}, refuses)  # type: ignore[arg-type]
        who = Bearer("0ld-s3cret", *renewed)
        with pytest.raises(AuthError) as caught:
            look(client_of(server, credentials=who))
        assert who.renewals == 1
        assert str(caught.value.where).startswith(server.url)
        assert caught.value.what.startswith("Could not reach Kubeflow Pipelines: ")
        assert caught.value.cure
        assert "s3cret" not in str(caught.value)

    def test_a_login_page_is_called_one(self, client_of: Connect, server: KfpServer) -> None:
        server.faults.add(".*", Answer(200, LOGIN_PAGE, "text/html"), times=9)
        with pytest.raises(AuthError, match="Dex wants a login, and no credentials were sent"):
            look(client_of(server))

    @pytest.mark.parametrize("kind", ["text/html", "text/plain"])
    def test_another_page_is_no_login(self, client_of: Connect, server: KfpServer, kind: str) -> None:
        """A dashboard gives its own page for every path that it does not know."""
        server.faults.add(".*", Answer(200, b"<html><title>Kubeflow</title><body></body></html>", kind), times=9)
        with pytest.raises(ServerError, match="in place of JSON") as caught:
            look(client_of(server))
        assert "/pipeline" in str(caught.value.cure)

    def test_a_redirect_to_somewhere(self, client_of: Connect, server: KfpServer) -> None:
        server.faults.add(".*", Answer(302, b"", location="/somewhere?state=s3cret"), times=9)
        with pytest.raises(AuthError, match="/somewhere instead") as caught:
            look(client_of(server))
        assert "s3cret" not in str(caught.value)

    def test_a_redirect_to_tls_is_no_login(self, client_of: Connect, server: KfpServer) -> None:
        server.faults.add(".*", Answer(301, b"", location=f"https://127.0.0.1:{server.port}/"), times=9)
        with pytest.raises(ServerError, match="wants TLS") as caught:
            look(client_of(server))
        assert "https://127.0.0.1" in str(caught.value.cure)

    def test_every_request_asks_for_headers(self, client_of: Connect, server: KfpServer) -> None:
        who = Bearer("first")
        client = client_of(server, credentials=who)
        look(client)
        who.token = "second"
        look(client)
        assert [r.headers["authorization"] for r in server.requests(LIST)] == ["Bearer first", "Bearer second"]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure_server(authority: trustme.CA) -> Iterator[KfpServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with KfpServer(tls=context) as server:
        yield server


class TestTls:
    def test_an_unknown_authority(self, secure_server: KfpServer, client_of: Connect) -> None:
        with pytest.raises(ServerError, match="certificate is not trusted") as caught:
            look(client_of(secure_server))
        assert "ssl_ca_cert" in str(caught.value.cure)

    def test_our_own_authority(
        self,
        secure_server: KfpServer,
        client_of: Connect,
        authority: trustme.CA,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        assert look(client_of(secure_server, tls=Tls(ca_cert=str(tmp_path / "ca.pem")))) == []
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        assert look(client_of(secure_server)) == []

    def test_a_file_that_is_not_there(self, secure_server: KfpServer, client_of: Connect) -> None:
        with pytest.raises(ConfigError, match=r"no file /nowhere/ca\.pem"):
            client_of(secure_server, tls=Tls(ca_cert="/nowhere/ca.pem"))

    def test_unchecked_is_said_once(
        self, secure_server: KfpServer, client_of: Connect, caplog: pytest.LogCaptureFixture
    ) -> None:
        client = client_of(secure_server, tls=Tls(verify=False))
        assert look(client) == []
        assert look(client) == []
        assert [r.message for r in caplog.records if "not checked" in r.message] == [
            f"The certificate of {secure_server.url} is not checked (verify_ssl: false)"
        ]

    def test_a_certificate_for_another_name(self, client_of: Connect, authority: trustme.CA, tmp_path: Path) -> None:
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("kf.example.com").configure_cert(context)
        with KfpServer(tls=context) as server, pytest.raises(ServerError, match="for another name"):
            look(client_of(server, tls=Tls(ca_cert=str(tmp_path / "ca.pem"))))

    def test_tls_where_there_is_none(self, server: KfpServer) -> None:
        with pytest.raises(ServerError, match="no TLS at that port") as caught:
            look(connect(server.url.replace("http:", "https:"), patience=QUICK))
        assert "http://" in str(caught.value.cure)

    def test_no_tls_where_there_is_some(self, secure_server: KfpServer) -> None:
        with pytest.raises(ServerError):
            look(connect(secure_server.url.replace("https:", "http:"), patience=QUICK))


class _Proxy(http.server.BaseHTTPRequestHandler):
    seen: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Proxy-Authorization", "")))
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(self.path) as answer:
            body = answer.read()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    seen: list[tuple[str, str]] = []
    handler = type("Handler", (_Proxy,), {"seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"127.0.0.1:{running.server_address[1]}", seen
        running.shutdown()


class TestProxy:
    def test_the_environment_names_it(
        self,
        server: KfpServer,
        client_of: Connect,
        proxy: tuple[str, list[tuple[str, str]]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        place, seen = proxy
        monkeypatch.setenv("HTTP_PROXY", f"http://some%40one:s3cret@{place}")
        monkeypatch.setenv("NO_PROXY", "")
        assert look(client_of(server)) == []
        expected = "Basic " + base64.b64encode(b"some@one:s3cret").decode()
        assert {credentials for _, credentials in seen} == {expected}
        assert all(path.startswith(server.url) for path, _ in seen)

    def test_and_its_exceptions(
        self,
        server: KfpServer,
        client_of: Connect,
        proxy: tuple[str, list[tuple[str, str]]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", f"http://{proxy[0]}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert look(client_of(server)) == []
        assert proxy[1] == []

    def test_a_proxy_that_is_away(self, server: KfpServer, client_of: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            monkeypatch.setenv("HTTP_PROXY", f"http://someone:s3cret@127.0.0.1:{unused.getsockname()[1]}")
            monkeypatch.setenv("NO_PROXY", "")
            with pytest.raises(ServerError) as caught:
                look(client_of(server))
        assert "s3cret" not in str(caught.value)
