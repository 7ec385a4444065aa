"""Foreign errors → ours: the one place of this room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import urllib3.exceptions as http
from kfp_server_api import ApiException

from kedro_kubeflow.errors import AuthError, KedroKubeflowError, ServerError
from kedro_kubeflow.targets.kubeflow.address import Address
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN, grpc_body, text_of


@contextmanager
def server_errors(address: Address, doing: str) -> Iterator[None]:
    """Errors of the generated client and of the network become ours.

    Args:
        doing: what is being done, as in "upload the pipeline 'x'".

    Raises:
        AuthError: the server does not know us, or does not let us.
        ServerError: it cannot be reached, refuses, or fails.
    """
    try:
        yield
    except AuthError as error:
        if error.what.startswith("Could not"):
            raise
        raise AuthError(
            f"Could not {doing}: {error.what}", where=error.where or address.host, cure=error.cure
        ) from error
    except FOREIGN as error:
        raise translated(error, address, doing) from error


def translated(error: BaseException, address: Address, doing: str) -> KedroKubeflowError:
    """Our error for a foreign one."""
    if isinstance(error, ApiException):
        return _of_tls(error, address, doing) if error.status == 0 else _of_answer(error, address, doing)
    for kind, what, cure in _NETWORK:
        if isinstance(error, kind):
            return ServerError(f"Could not {doing}: {what}", where=address.host, cure=cure)
    return ServerError(f"Could not {doing}: {_one_line(str(error))}", where=address.host, cure=_CHECK_HOST)


def no_api(address: Address, content_type: str) -> ServerError:
    """Something answers that is no API: a dashboard gives its own page for every path that it does not know."""
    kind = "a web page" if "html" in content_type else content_type.split(";")[0]
    return ServerError(
        f"The server answers with {kind} in place of JSON: that is not the API of Kubeflow Pipelines",
        where=address.host,
        cure="is a path missing, such as /pipeline? check `host` in kubeflow.yml",
    )


def words_of(error: BaseException) -> str:
    """What the server said, or what the network did, in a few words: part of a sentence."""
    if isinstance(error, ApiException) and error.status:
        return f"the server answered {error.status}: {_message(error)}"
    return next((what for kind, what, _ in _NETWORK if isinstance(error, kind)), _one_line(str(error)))


_CHECK_HOST = "check `host` in kubeflow.yml, the network, and that the server is up"
# The most specific first.
_NETWORK: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str, str], ...] = (
    (http.NameResolutionError, "the host's name is not known", "check `host` in kubeflow.yml; is a VPN needed?"),
    (http.ProxyError, "the proxy cannot be reached or refuses", "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY"),
    (http.NewConnectionError, "the server cannot be reached, nobody listens there", _CHECK_HOST),
    (http.ConnectTimeoutError, "the server cannot be reached, the connection timed out", _CHECK_HOST),
    (http.ReadTimeoutError, "the server did not answer in time", "try again later, or set a longer `request_timeout`"),
    ((http.ProtocolError, ConnectionError), "the connection was cut before an answer came", "try again"),
    (http.LocationParseError, "the address cannot be read", "write https://host:port/path under `host`"),
)


def _of_tls(error: ApiException, address: Address, doing: str) -> ServerError:
    reason = str(error.reason)
    if "WRONG_VERSION_NUMBER" in reason:
        what, cure = "there is no TLS at that port", "write http:// in place of https:// under `host`"
    elif re.search(r"mismatch|doesn't match|not valid for", reason):
        what, cure = "the server's certificate is for another name", "write the name on the certificate under `host`"
    elif "CERTIFICATE_VERIFY_FAILED" in reason:
        what = "the server's certificate is not trusted"
        cure = "name the file of the CA that signed it under `ssl_ca_cert`, or in REQUESTS_CA_BUNDLE"
    else:
        what, cure = "TLS failed", "check `host` and `ssl_ca_cert` in kubeflow.yml"
    return ServerError(f"Could not {doing}: {what}: {_one_line(reason)}", where=address.host, cure=cure)


def _of_answer(error: ApiException, address: Address, doing: str) -> KedroKubeflowError:
    message = _message(error)
    what = f"Could not {doing}: {message}"
    if 300 <= error.status < 400:
        return _of_redirect(error, address, doing)
    if error.status == 404 and not grpc_body(error):
        what = f"Could not {doing}: there is no Kubeflow Pipelines API at that address"
        return ServerError(what, where=address.host, cure="is a path missing, such as /pipeline? check `host`")
    for sign, cure in _CURES.items():
        if re.search(sign, message, flags=re.IGNORECASE):
            return ServerError(what, where=address.host, cure=cure)
    return ServerError(what, where=address.host, cure="try again later" if error.status >= 500 else None)


_CURES = {
    r"exceed maximum size": "KFP caps the parameters of one run at 10,000 bytes together: keep large values in the "
    "project's conf and compile with them",
    r"file size|too large|request entity": "the compiled pipeline is too large for the server: put several nodes into a step",
    r"HTTP request to an HTTPS server|plain HTTP request": "write https:// in place of http:// under `host`",
    r"namespace is required|namespace cannot.* be empty|empty namespace": "set `namespace` in kubeflow.yml: this server has "
    "several users",
    r"no healthy upstream|upstream": "the API server is down or restarting; try again later",
}


def _of_redirect(error: ApiException, address: Address, doing: str) -> KedroKubeflowError:
    location = str((error.headers or {}).get("Location", "")).split("?")[0]
    if location.startswith("https://") and address.host.startswith("http://"):
        secure = address.host.replace("http://", "https://", 1)
        return ServerError(f"Could not {doing}: the server wants TLS", where=address.host, cure=f"write {secure}")
    what = f"Could not {doing}: the server sends to {location or 'another place'} instead of answering"
    return AuthError(what, where=address.host, cure="is that a login? then check `auth`; if not, check `host`")


def _message(error: ApiException) -> str:
    """What the server said, in one line, without mark-up."""
    body = grpc_body(error)
    said = str(body.get("message") or body.get("error_message") or body.get("error_details") or "")
    return _one_line(said or _without_markup(text_of(error))) or f"HTTP {error.status} {error.reason or ''}".strip()


def _without_markup(text: str) -> str:
    """The words of a page, as a gateway or a proxy writes one of an error; nothing of what is not meant to be read.

    >>> _without_markup("<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>")
    ' 502 Bad Gateway nginx '
    """
    if "<" not in text:
        return text
    plain = re.sub(r"(?is)<(script|style).*?</\1\s*>|<!--.*?-->|<!doctype[^>]*>", " ", text)
    return re.sub(r"(?s)(?:<[^>]*>)+", " ", plain)


def _one_line(text: str, longest: int = 400) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
