"""Google on 127.0.0.1: metadata server, token endpoint, IAM credentials and STS, reached without patching google-auth.

The metadata server by ``GCE_METADATA_HOST``; the token endpoint by ``token_uri`` of a generated key file; the two
``*.googleapis.com`` hosts by a CONNECT proxy (``HTTPS_PROXY``) that leads to a TLS server whose certificate a
throw-away CA signed (``REQUESTS_CA_BUNDLE``). The proxy leads nowhere else, so that no test leaves the machine.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization

from auth import jwt
from auth.certificates import Authority
from auth.loopback import Request, Response, as_json, serving

ACCOUNT = "runner@project.iam.gserviceaccount.com"
DEFAULT_ACCOUNT = "default@project.iam.gserviceaccount.com"
TARGET = "mlflow@project.iam.gserviceaccount.com"
TOKEN_ENDPOINT = (
    "https://oauth2.googleapis.com/token"  # what Google wants as an assertion's audience, wherever it is sent
)
HOSTS = ("iamcredentials.googleapis.com", "sts.googleapis.com")


class Google:
    """Gives out tokens as Google does, and remembers to whom.

    Attributes:
        lifetime: of new ID tokens, in seconds.
        refused: accounts that nobody may impersonate.
        down: IAM and STS answer 503.
        identified: the metadata server knows a service account.
        issued: every token that was given out, in order.
        log: what was asked for: ("token" | "identity" | "generateIdToken" | "sts", …).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lifetime = 3600.0
        self.refused: set[str] = set()
        self.down = False
        self.identified = True
        self.pause = 0.0
        self.issued: list[str] = []
        self.log: list[tuple[str, dict[str, Any]]] = []
        self.problems: list[str] = []
        self.plain = self.secure = self.proxy = ""
        self._key = jwt.key_of("google")
        self._account_key = jwt.key_of(ACCOUNT)
        self._access: dict[str, str] = {}

    # What clients need

    def key_file(self) -> Path:
        """A service account's key file whose token endpoint is this one."""
        pem = self._account_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        info = {
            "type": "service_account",
            "project_id": "project",
            "private_key_id": "1",
            "private_key": pem.decode(),
            "client_email": ACCOUNT,
            "token_uri": f"{self.plain}/token",
        }
        return self._written("key.json", info)

    def federation_file(self) -> Path:
        """Workload identity federation with a service account, the subject token in a file."""
        subject = self._written("subject.json", {"token": "subject-of-the-ci"})
        impersonation = f"https://{HOSTS[0]}/v1/projects/-/serviceAccounts/{TARGET}:generateAccessToken"
        info = {
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/ci",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": f"https://{HOSTS[1]}/v1/token",
            "service_account_impersonation_url": impersonation,
            "credential_source": {
                "file": str(subject),
                "format": {"type": "json", "subject_token_field_name": "token"},
            },
        }
        return self._written("federation.json", info)

    def person_file(self) -> Path:
        """What ``gcloud auth application-default login`` writes."""
        info = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}
        return self._written("person.json", info)

    def environment(self, credentials: Path | None = None, *, metadata: bool = False) -> dict[str, str]:
        """Environment variables that lead to this Google, and to no other."""
        address = urlsplit(self.plain).netloc if metadata else f"127.0.0.1:{closed_port()}"
        env = {
            "GCE_METADATA_HOST": address,
            "GCE_METADATA_IP": address,
            "GCE_METADATA_TIMEOUT": "1",
            "GCE_METADATA_DETECT_RETRIES": "1",
            "HTTPS_PROXY": self.proxy,
            "NO_PROXY": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": str(self.folder / "ca.pem"),
            "CLOUDSDK_CONFIG": str(self.folder / "no-gcloud"),
            "HOME": str(self.folder),
            "GOOGLE_CLOUD_PROJECT": "project",
        }
        return {**env, "GOOGLE_APPLICATION_CREDENTIALS": str(credentials)} if credentials else env

    def claims(self, authorization: str | None) -> dict[str, Any] | None:
        """The claims of a bearer ID token that this Google signed; None for anything else."""
        scheme, _, token = (authorization or "").partition(" ")
        return jwt.verified(token, self._key.public_key()) if scheme == "Bearer" else None

    def asked(self, what: str) -> list[dict[str, Any]]:
        return [details for kind, details in self.log if kind == what]

    # What servers do

    def answer_plain(self, request: Request) -> Response:
        if request.path == "/token":
            time.sleep(self.pause)
            return self._token(request)
        return self._metadata(request)

    def answer_secure(self, request: Request) -> Response:
        if request.headers["host"].startswith(HOSTS[1]):
            return self._busy() or self._sts(request)
        if request.path.endswith(":generateIdToken"):
            return self._busy() or self._generate_id_token(request)
        return as_json({"error": {"code": 404, "message": "not here", "status": "NOT_FOUND"}}, 404)

    def _busy(self) -> Response | None:
        return (
            as_json({"error": {"code": 503, "message": "try later", "status": "UNAVAILABLE"}}, 503)
            if self.down
            else None
        )

    def _metadata(self, request: Request) -> Response:
        flavour = {"Metadata-Flavor": "Google", "Content-Type": "application/text"}
        if request.headers.get("metadata-flavor") != "Google":
            return Response(403, b"Missing Metadata-Flavor", flavour)
        path = request.path.removeprefix("/computeMetadata/v1/").rstrip("/").replace(DEFAULT_ACCOUNT, "default")
        account = "instance/service-accounts/default"
        if path.startswith(account) and not self.identified:
            return Response(404, b"service account not found", flavour)
        if path == f"{account}/identity":
            assert request.query["format"] == "full"
            self.log.append(("identity", request.query))
            token = self._id_token(request.query["audience"], DEFAULT_ACCOUNT, email=True)
            return Response(200, token.encode(), flavour)
        if path == f"{account}/token":
            value = {"access_token": self._access_token(DEFAULT_ACCOUNT), "expires_in": 3600, "token_type": "Bearer"}
            return Response(200, json.dumps(value).encode(), {**flavour, "Content-Type": "application/json"})
        known = {
            "/": b"ok",
            "project/project-id": b"project",
            "universe/universe-domain": b"googleapis.com",
        }
        if path == account:
            value = {"aliases": ["default"], "email": DEFAULT_ACCOUNT, "scopes": ["cloud-platform"]}
            return Response(200, json.dumps(value).encode(), {**flavour, "Content-Type": "application/json"})
        body = known.get(path if path else "/")
        return Response(200, body, flavour) if body else Response(404, b"not found", flavour)

    def _token(self, request: Request) -> Response:
        claims = jwt.verified(request.form["assertion"], self._account_key.public_key())
        if claims is None or claims["aud"] != TOKEN_ENDPOINT or claims["iss"] != ACCOUNT:
            self.problems.append(f"a wrong assertion: {claims}")
            return as_json({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        if ACCOUNT in self.refused:
            # Google does not quote the assertion; a stand-in that does shows that nobody prints it.
            said = f"Invalid grant: account not found. {request.form['assertion']}"
            return as_json({"error": "invalid_grant", "error_description": said}, 400)
        self.log.append(("token", claims))
        if "target_audience" in claims:
            return as_json({"id_token": self._id_token(claims["target_audience"], ACCOUNT, email=True)})
        return as_json({"access_token": self._access_token(ACCOUNT), "expires_in": 3600, "token_type": "Bearer"})

    def _sts(self, request: Request) -> Response:
        self.log.append(("sts", request.form))
        if request.form.get("subject_token") != "subject-of-the-ci":
            return as_json({"error": "invalid_grant", "error_description": "who is that"}, 400)
        token = self._access_token("principal://federated")
        kind = "urn:ietf:params:oauth:token-type:access_token"
        return as_json({"access_token": token, "issued_token_type": kind, "token_type": "Bearer", "expires_in": 3600})

    def _generate_id_token(self, request: Request) -> Response:
        target = request.path.rpartition("/")[2].removesuffix(":generateIdToken")
        caller = self._access.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if caller is None:
            return as_json({"error": {"code": 401, "message": "unknown token", "status": "UNAUTHENTICATED"}}, 401)
        if target in self.refused:
            denied = f"Permission 'iam.serviceAccounts.getOpenIdToken' denied on {target} for {request.headers['authorization']}"
            return as_json({"error": {"code": 403, "message": denied, "status": "PERMISSION_DENIED"}}, 403)
        self.log.append(("generateIdToken", {**request.json, "target": target, "caller": caller}))
        return as_json({"token": self._id_token(request.json["audience"], target, email=request.json["includeEmail"])})

    def _access_token(self, account: str) -> str:
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self._access[token] = account
        self.issued.append(token)
        return token

    def _id_token(self, audience: str, account: str, *, email: bool) -> str:
        now = time.time()
        claims = {"iss": "https://accounts.google.com", "aud": audience, "iat": now, "exp": now + self.lifetime}
        token = jwt.sign({**claims, **({"email": account} if email else {}), "jti": secrets.token_hex(4)}, self._key)
        self.issued.append(token)
        return token

    def _written(self, name: str, content: Any) -> Path:
        file = self.folder / name
        file.write_text(json.dumps(content))
        return file


@contextmanager
def google(folder: Path) -> Iterator[Google]:
    stand_in = Google(folder)
    authority = Authority(folder)
    with contextlib.ExitStack() as stack:
        stand_in.plain = stack.enter_context(serving(stand_in.answer_plain))
        stand_in.secure = stack.enter_context(serving(stand_in.answer_secure, authority.context(*HOSTS)))
        stand_in.proxy = stack.enter_context(tunnelling({host: urlsplit(stand_in.secure).port or 0 for host in HOSTS}))
        yield stand_in


@contextmanager
def tunnelling(ports: dict[str, int]) -> Iterator[str]:
    """An HTTP proxy that knows ``CONNECT``, and where a few hosts really are."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            host = self.rfile.readline().split()[1].decode().partition(":")[0]
            while self.rfile.readline().strip():
                pass
            if host not in ports:
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", ports[host])) as there:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
                back.start()
                _pump(self.connection, there)
                back.join()

    class Proxy(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Proxy(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def closed_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
