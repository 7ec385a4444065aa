"""What became of a request that failed: whether it is safe to send it again."""

from __future__ import annotations

import enum
import json
from typing import Any

import urllib3.exceptions
from kfp_server_api import ApiException

from kedro_kubeflow.auth.kubeflow.refusal import FrontRefusal

FOREIGN = (ApiException, urllib3.exceptions.HTTPError, OSError)
"""Everything that the generated client lets out."""


class Fate(enum.Enum):
    """What became of a request."""

    NOT_SENT = "it never reached the server"
    REFUSED = "the server has said no"
    UNKNOWN = "the server may have carried it out, or may still do so"


def fate_of(error: BaseException) -> Fate:
    """What became of the request behind an error."""
    if isinstance(error, ApiException):
        return _fate_of_answer(error)
    # NewConnectionError is a ConnectTimeoutError to urllib3.
    never = (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.ProxyError)
    if isinstance(error, never):
        return Fate.NOT_SENT
    return Fate.UNKNOWN


def passes(error: BaseException) -> bool:
    """Whether the same request may do better in a moment."""
    if isinstance(error, FrontRefusal):
        return error.may_pass
    if isinstance(error, ApiException):
        if error.status == 0:
            return not failed_handshake(error)
        # A 404 that KFP did not write comes from a gateway whose upstream is away.
        return error.status in (429, 500, 502, 503, 504) or (error.status == 404 and not grpc_body(error))
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return not isinstance(error, urllib3.exceptions.NameResolutionError)
    return not isinstance(error, (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.ProxyError))


def is_conflict(error: BaseException) -> bool:
    """Whether something of that name is there already; older servers say so in words only."""
    return isinstance(error, ApiException) and (error.status == 409 or "already exist" in text_of(error).lower())


def is_missing(error: BaseException) -> bool:
    """Whether KFP itself says that there is no such thing."""
    return isinstance(error, ApiException) and error.status == 404 and bool(grpc_body(error))


def text_of(error: ApiException) -> str:
    """An answer's body as text."""
    body = error.body or ""
    return body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)


def grpc_body(error: ApiException) -> dict[str, Any]:
    """The body of an answer that KFP wrote itself; empty where something in front of it did."""
    try:
        body = json.loads(text_of(error))
    except ValueError:
        return {}
    return body if isinstance(body, dict) and {"code", "message", "error_message"} & set(body) else {}


def failed_handshake(error: ApiException) -> bool:
    """Whether TLS was never agreed on; the generated client gives every TLS error the status 0."""
    signs = (
        "CERTIFICATE_VERIFY_FAILED",
        "WRONG_VERSION_NUMBER",
        "doesn't match",
        "hostname",
        "HANDSHAKE",
        "PROTOCOL_VERSION",
    )
    return error.status == 0 and any(sign in str(error.reason) for sign in signs)


def _fate_of_answer(error: ApiException) -> Fate:
    if error.status == 0:
        return Fate.NOT_SENT if failed_handshake(error) else Fate.UNKNOWN
    if error.status in (429, 503) and _of_gateway_alone(error):
        return Fate.NOT_SENT
    return Fate.UNKNOWN if error.status >= 500 else Fate.REFUSED


def _of_gateway_alone(error: ApiException) -> bool:
    """Whether a gateway refused by itself. Envoy answers 503 too when its connection broke with the request sent."""
    text = text_of(error)
    return not grpc_body(error) and ("reset reason" not in text or "connection failure" in text)
