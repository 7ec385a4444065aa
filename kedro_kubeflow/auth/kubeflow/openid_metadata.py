"""What an OpenID Connect provider says of itself (OpenID Connect Discovery 1.0, 4), and how far it is believed."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.auth.kubeflow.addresses import address, redirected
from kedro_kubeflow.auth.kubeflow.http import Requests
from kedro_kubeflow.errors import AuthError, KedroKubeflowError, ServerError


def metadata(requests: Requests, issuer: str, *, cure: str) -> dict[str, Any]:
    """The provider's document.

    Args:
        issuer: as it is configured.
        cure: what to write where the document is not to be used.

    Raises:
        AuthError: there is none, or it is somebody else's.
        ServerError: nobody answers.
    """
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    answer = requests.get(url, "The OpenID Connect provider", headers={"Accept": "application/json"})
    said = json_of(answer)
    if answer.status_code != 200 or not said.get("issuer"):
        raise _undescribed(answer, url, cure)
    # 4.3: it MUST be the very address that the document was asked for at.
    if str(said["issuer"]).rstrip("/") != issuer.rstrip("/"):
        raise AuthError(
            f"The OpenID Connect provider calls itself {redacted(str(said['issuer']))!r}, and not {issuer!r}: no secret is sent",
            where=url,
            cure=f"write the provider's own name as `issuer`, if this machine reaches it there; or {cure}",
        )
    return said


def endpoint(said: dict[str, Any], name: str, issuer: str, *, cure: str) -> str:
    """An address of the document.

    Args:
        name: its key, such as ``token_endpoint``.

    Raises:
        AuthError: it is not there, or is plain http after an https issuer.
    """
    value = str(said.get(name) or "")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise AuthError(f"The OpenID Connect provider names no {name}", where=issuer, cure=cure)
    if issuer.startswith("https://") and parts.scheme != "https":
        raise AuthError(
            f"The OpenID Connect provider's {name} is plain http, {address(value)}: no secret is sent there",
            where=issuer,
            cure=f"it is most likely the provider's address inside of its cluster: {cure}",
        )
    return value


def json_of(answer: Any) -> dict[str, Any]:
    """An answer's JSON object; empty where it is none."""
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _undescribed(answer: Any, url: str, cure: str) -> KedroKubeflowError:
    if answer.status_code >= 500:
        return ServerError(
            f"The OpenID Connect provider fails (HTTP {answer.status_code})", where=url, cure="try again later"
        )
    target = redirected(answer)
    return AuthError(
        f"The OpenID Connect provider does not describe itself there (HTTP {answer.status_code}"
        + (f", it sends to {address(target)})" if target else ")"),
        where=url,
        cure=f"check `issuer`, or {cure}",
    )
