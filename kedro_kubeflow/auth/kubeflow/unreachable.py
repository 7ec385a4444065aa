"""Why nobody answers: one set of words for the requests of a login and for those of the API."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

CHECK_HOST = "check `host` in kubeflow.yml, the network, and that the server is up"


@dataclass(frozen=True)
class Unreachable:
    """What stands in the way of an answer.

    Attributes:
        what: as in "nobody listens there".
        cure: what to do about it.
        sent: whether the request may have reached the server.
        passes: whether the same request may do better in a moment.
    """

    what: str
    cure: str
    sent: bool = False
    passes: bool = True


_CLIENT_CERTIFICATE = re.compile(r"CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNKNOWN_CA", re.IGNORECASE)


def unreachable(error: BaseException) -> Unreachable | None:
    """What stands in the way, for an error of urllib3 or of requests; None for any other."""
    import urllib3.exceptions as http

    for cause in _causes(error):
        # A proxy's own error holds another one, which says less of who is to blame.
        if isinstance(cause, http.SSLError):
            return of_tls(str(cause))
        for kind, reason in _network():
            if isinstance(cause, kind):
                return reason
    return None


def of_tls(text: str) -> Unreachable:
    """What TLS did not like, by OpenSSL's words."""
    line = " ".join(text.split())[:200]
    if re.search(r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|HTTP_REQUEST", text):
        what, cure = "there is no TLS at that port", "write http:// in place of https:// under `host`, or mend the port"
    elif re.search(r"mismatch|doesn't match|not valid for", text, re.IGNORECASE):
        what, cure = "the server's certificate is for another name", "write the name on the certificate under `host`"
    elif "expired" in text:
        what, cure = "the server's certificate has expired", "ask its administrator; or is this machine's clock wrong?"
    elif "CERTIFICATE_VERIFY_FAILED" in text:
        what = "the server's certificate is not trusted"
        cure = "name the file of the CA that signed it under `ssl_ca_cert`, or in REQUESTS_CA_BUNDLE"
    elif _CLIENT_CERTIFICATE.search(text):
        what, cure = "the server wants another client certificate", "check `ssl_client_cert` and `ssl_client_key`"
    else:
        what, cure = "TLS failed", "check `host` and `ssl_ca_cert` in kubeflow.yml"
    return Unreachable(f"{what}: {line}", cure, passes=not _certain(text))


def _certain(text: str) -> bool:
    """Whether the next handshake would fail as this one did."""
    signs = (
        r"CERTIFICATE|WRONG_VERSION_NUMBER|RECORD_LAYER|HTTP_REQUEST|doesn't match|hostname|HANDSHAKE|PROTOCOL_VERSION"
    )
    return bool(re.search(signs, text, re.IGNORECASE))


@functools.cache
def _network() -> tuple[tuple[type[Exception] | tuple[type[Exception], ...], Unreachable], ...]:
    """The errors of urllib3 and what they mean, the most specific first."""
    import urllib3.exceptions as http

    return (
        (
            http.NameResolutionError,
            Unreachable("the host's name is not known", "check `host` in kubeflow.yml; is a VPN needed?", passes=False),
        ),
        (
            http.ProxyError,
            Unreachable(
                "the proxy cannot be reached or refuses", "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY", passes=False
            ),
        ),
        (http.NewConnectionError, Unreachable("the server cannot be reached, nobody listens there", CHECK_HOST)),
        (
            http.ConnectTimeoutError,
            Unreachable("the server cannot be reached, the connection timed out", CHECK_HOST, passes=False),
        ),
        (
            http.ReadTimeoutError,
            Unreachable(
                "the server did not answer in time", "try again later, or set a longer `request_timeout`", sent=True
            ),
        ),
        (
            (http.ProtocolError, ConnectionError),
            Unreachable("the connection was cut before an answer came", "try again", sent=True),
        ),
        (
            http.LocationParseError,
            Unreachable("the address cannot be read", "write https://host:port/path under `host`", passes=False),
        ),
    )


def _causes(error: BaseException) -> list[BaseException]:
    """The error, and what it was made of, from the outside in."""
    found: list[BaseException] = [error]
    while True:
        last = found[-1]
        inner = getattr(last, "reason", None)
        if not isinstance(inner, BaseException):
            inner = next((a for a in getattr(last, "args", ()) if isinstance(a, BaseException)), None)
        if inner is None or inner in found:
            return found
        found.append(inner)
