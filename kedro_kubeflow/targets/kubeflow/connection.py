"""The generated client's connection, with what it lacks: credentials for every request, their renewal, patience.

``kfp_server_api`` sends each request through ``ApiClient.request``; all of this happens there, below every service.
"""

from __future__ import annotations

import base64
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from kfp_server_api import ApiClient, ApiException, Configuration
from urllib3 import Timeout

from kedro_kubeflow import __version__
from kedro_kubeflow.auth.kubeflow import Answer, AuthProvider, authenticated
from kedro_kubeflow.auth.kubeflow.refusal import FrontRefusal
from kedro_kubeflow.targets.kubeflow.address import Address
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN, Fate, fate_of, passes, text_of
from kedro_kubeflow.targets.kubeflow.refusals import no_api
from kedro_kubeflow.targets.kubeflow.tls import Tls

log = logging.getLogger(__name__)

_GRPC_WEB = "application/grpc-web+proto"


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a request may take and how often it is tried.

    Attributes:
        connect: seconds until the connection must stand.
        read: seconds without a byte of the answer.
        pauses: seconds before each further try of a request that may be sent again without harm.
    """

    connect: float = 10.0
    read: float = 60.0
    pauses: Sequence[float] = (0.3, 1.0, 2.0)


class Connection(ApiClient):  # type: ignore[misc] # the generated client has no types
    """Sends requests to one server."""

    def __init__(
        self,
        address: Address,
        credentials: AuthProvider,
        *,
        tls: Tls | None = None,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(_configuration(address, tls or Tls()))
        self.user_agent = f"kedro-kubeflow/{__version__}"
        self.address, self.credentials = address, credentials
        self.patience, self.sleep = patience or Patience(), sleep

    def request(self, method: str, url: str, **kwargs: Any) -> Any:
        """One request to the API; what cannot do harm twice is tried again for a few seconds.

        Raises:
            AuthError: the credentials are refused, or a login is wanted.
            ServerError: what answers is not the API.
        """
        answer = self._patiently(method, url, kwargs)
        content_type = str(answer.getheader("Content-Type") or "json")
        if "json" not in content_type:
            raise no_api(self.address, content_type)
        return answer

    def once(self, path: str, query: Mapping[str, str], *, host: str | None = None) -> str:
        """The text at a path that is not in KFP's contract; not tried again."""
        url = (host or self.address.host) + path
        headers = {"Accept": "text/plain, application/json", "User-Agent": self.user_agent}
        answer = self._authenticated("GET", url, {"headers": headers, "query_params": list(query.items())})
        text = bytes(answer.data).decode("utf-8", "replace")
        # The UI's server calls its JSON a web page.
        if "html" in str(answer.getheader("Content-Type")) and not text.lstrip().startswith(("{", "[")):
            raise ApiException(404, "a web page where text was expected")
        return text

    @contextmanager
    def stream(self, path: str, query: Mapping[str, str], *, host: str, headers: Mapping[str, str]) -> Iterator[Any]:
        """The answer at a path that is not in KFP's contract, its body not read yet; not tried again.

        Raises:
            ApiException: it is no success.
        """
        sent: list[_Sent] = []

        def send(credentials: Mapping[str, str]) -> Answer:
            own = {"User-Agent": self.user_agent, **headers, **credentials}
            answer = self.rest_client.pool_manager.request(
                "GET",
                host + path,
                fields=list(query.items()),
                headers=own,
                preload_content=False,
                timeout=Timeout(connect=self.patience.connect, read=self.patience.read),
                retries=False,
                redirect=False,
            )
            page = answer.status >= 300 or "html" in answer.headers.get("Content-Type", "")
            body = answer.data.decode("utf-8", "replace") if page else ""
            sent.append(_sent(answer.status, answer.headers, body, host + path, answer))
            return sent[-1]

        authenticated(self.credentials, send)
        answer = sent[-1].outcome
        try:
            if sent[-1].body or answer.status >= 300:
                error = ApiException(answer.status, answer.reason)
                error.body, error.headers = sent[-1].body.encode(), answer.headers
                raise error
            yield answer
        finally:
            answer.release_conn()
            answer.close()

    def binary(self, path: str, body: bytes, host: str) -> bytes:
        """One request of gRPC-Web, which is no part of KFP's contract; not tried again."""
        headers = {"Accept": _GRPC_WEB, "Content-Type": _GRPC_WEB, "X-Grpc-Web": "1", "User-Agent": self.user_agent}
        answer = self._authenticated("POST", host + path, {"headers": headers, "body": body})
        if "grpc-web" not in str(answer.getheader("Content-Type")):
            raise ApiException(404, "another page where gRPC-Web was expected")
        return bytes(answer.data)

    def _patiently(self, method: str, url: str, kwargs: Mapping[str, Any]) -> Any:
        for pause in self.patience.pauses:
            try:
                return self._authenticated(method, url, kwargs)
            except FrontRefusal as error:
                if not error.may_pass or method != "GET":
                    raise
                self.sleep(pause)
            except FOREIGN as error:
                if not passes(error) or not (method == "GET" or fate_of(error) is Fate.NOT_SENT):
                    raise
                log.debug(
                    "%s %s failed, trying again in %s s: %s", method, url.split("?")[0], pause, type(error).__name__
                )
                self.sleep(pause)
        return self._authenticated(method, url, kwargs)

    def _authenticated(self, method: str, url: str, kwargs: Mapping[str, Any]) -> Any:
        """One request, with credentials; with new ones once more, where they are refused."""
        sent: list[_Sent] = []

        def send(headers: Mapping[str, str]) -> Answer:
            sent.append(self._send(method, url, kwargs, headers))
            return sent[-1]

        authenticated(self.credentials, send, look=self._look)
        outcome = sent[-1].outcome
        if isinstance(outcome, ApiException):
            raise outcome
        return outcome

    def _look(self) -> Answer | None:
        """What a stranger's browser is shown at the host: that says who stands before the server."""
        try:
            return self._send("GET", f"{self.address.host}/", {"headers": {"Accept": "text/html,*/*"}}, {})
        except FOREIGN as error:
            log.debug("The host shows nothing: %s", type(error).__name__)
            return None

    def _send(self, method: str, url: str, kwargs: Mapping[str, Any], credentials: Mapping[str, str]) -> _Sent:
        if method != "GET":
            # A pooled connection may have been closed meanwhile, and then nobody could tell whether the request arrived.
            self.rest_client.pool_manager.clear()
        headers = {**(kwargs.get("headers") or {}), **credentials}
        timeout = (self.patience.connect, self.patience.read)
        try:
            response = super().request(method, url, **{**kwargs, "headers": headers, "_request_timeout": timeout})
        except ApiException as error:
            # The generated code decodes the body of every error, also where there is none or where it is not UTF-8.
            error.body = (error.body or b"").decode("utf-8", "replace").encode()
            return _sent(error.status, error.headers, text_of(error), url, error)
        page = "html" in str(response.getheader("Content-Type"))
        return _sent(
            response.status,
            response.getheaders(),
            response.data.decode("utf-8", "replace") if page else "",
            url,
            response,
        )


@dataclass(frozen=True)
class _Sent(Answer):
    """What came back, as the authentication sees it, and as the generated client does."""

    outcome: Any = None


def _sent(status: int, headers: Any, body: str, url: str, outcome: Any) -> _Sent:
    lower = {str(name).lower(): str(value) for name, value in dict(headers or {}).items()}
    return _Sent(status, lower, body, url.split("?")[0], outcome)


def _configuration(address: Address, tls: Tls) -> Any:
    configuration = Configuration()
    configuration.host = address.host
    # No redirects are followed and nothing is sent twice behind our back: urllib3 would do both.
    configuration.retries = False
    configuration.verify_ssl = tls.verify
    configuration.ssl_ca_cert = tls.ca_file
    configuration.cert_file, configuration.key_file = tls.cert_file, tls.key_file
    configuration.proxy, configuration.proxy_headers = _proxy(address.host)
    # The contract of a newer server may allow what this version of the generated client does not know.
    configuration.client_side_validation = False
    if not tls.verify:
        log.warning("The certificate of %s is not checked (verify_ssl: false)", address.host)
        _hush()
    return configuration


def _hush() -> None:
    """One warning is ours; urllib3 would give one with every request."""
    import urllib3

    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


def _proxy(host: str) -> tuple[str | None, dict[str, str] | None]:
    """The proxy that the environment names for a host (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), and its credentials."""
    parts = urlsplit(host)
    proxy = getproxies().get(parts.scheme)
    if not proxy or proxy_bypass(parts.netloc):
        return None, None
    target = urlsplit(proxy if "//" in proxy else f"http://{proxy}")
    if not target.username:
        return target.geturl(), None
    pair = f"{unquote(target.username)}:{unquote(target.password or '')}"
    plain = target._replace(netloc=target.netloc.rpartition("@")[2]).geturl()
    return plain, {"proxy-authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
