"""A person logs in: in a browser here (OpenID Connect, PKCE), or on another device; and out again.

RFC 8252 (native apps), RFC 7636 (PKCE), RFC 8628 (devices), RFC 7009 (revocation), OpenID Connect Core 1.0.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.auth.kubeflow.browser import ISSUER_CURE, remember, token_of
from kedro_kubeflow.auth.kubeflow.http import Requests
from kedro_kubeflow.auth.kubeflow.login_store import LoginStore
from kedro_kubeflow.auth.kubeflow.loopback_callback import callback
from kedro_kubeflow.auth.kubeflow.openid_metadata import endpoint, json_of, metadata
from kedro_kubeflow.auth.kubeflow.openid_session import openid_errors, openid_session
from kedro_kubeflow.config.auth import BrowserAuth
from kedro_kubeflow.errors import AuthError, KedroKubeflowError

# Long enough for a second factor.
PATIENCE = 300.0
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_REFUSED = (
    "check with the provider's administrator that `client_id` is a public client there, and may use PKCE, the scopes of "
    "`scope`, and `redirect`"
)


@dataclass(frozen=True)
class Person:
    """Who has logged in.

    Attributes:
        name: the e-mail address, or what else the provider calls them.
        expires_at: the token's end in seconds since the epoch, infinite where nobody knows.
        renewed: whether it is renewed by itself.
        place: where it is kept.
    """

    name: str
    expires_at: float
    renewed: bool
    place: str


def log_in(config: BrowserAuth, around: Surroundings, *, open_browser: Callable[[str], None]) -> Person:
    """Log in with a browser on this machine.

    Args:
        open_browser: shows the provider's page, whose address it is given.

    Raises:
        AuthError: nobody came, or the provider refuses.
        DependencyError: Authlib is not installed.
        ServerError: the provider does not answer.
    """
    said = _metadata(config, around)
    page = endpoint(said, "authorization_endpoint", config.issuer, cure=ISSUER_CURE)
    token_url = endpoint(said, "token_endpoint", config.issuer, cure=ISSUER_CURE)
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    with callback(config.redirect) as here:
        session = openid_session(
            config.client_id, around, scope=config.scope, redirect_uri=here.url, code_challenge_method="S256"
        )
        wishes = {"audience": config.audience, "prompt": config.prompt}
        more = {name: value for name, value in wishes.items() if value}
        url, state = session.create_authorization_url(page, code_verifier=verifier, nonce=nonce, **more)
        open_browser(url)
        answer = here.wait(state, PATIENCE)
    _refuse_error(answer, config)
    with openid_errors(config.issuer, _REFUSED):
        given = session.fetch_token(token_url, authorization_response=answer, code_verifier=verifier, state=state)
    return _kept(dict(given), config, nonce=nonce)


def log_in_elsewhere(
    config: BrowserAuth,
    around: Surroundings,
    *,
    show: Callable[[str, str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> Person:
    """Log in with a browser on another device.

    Args:
        show: tells the person the address, and the code to write there.

    Raises:
        AuthError: nobody came, the provider refuses, or knows no such login.
    """
    said = _metadata(config, around)
    if not said.get("device_authorization_endpoint"):
        raise AuthError(
            "The OpenID Connect provider knows no login from another device",
            where=config.issuer,
            cure="log in on a machine with a browser; over SSH, forward the port: give `redirect` one, then "
            "`ssh -L PORT:127.0.0.1:PORT`, and `kedro kubeflow login --no-browser`",
        )
    device_url = endpoint(said, "device_authorization_endpoint", config.issuer, cure=ISSUER_CURE)
    token_url = endpoint(said, "token_endpoint", config.issuer, cure=ISSUER_CURE)
    session = openid_session(config.client_id, around, scope=config.scope)
    with openid_errors(config.issuer, _REFUSED):
        form = {"client_id": config.client_id, "scope": config.scope}
        answer = session.post(device_url, data=form, headers={"Accept": "application/json"})
    device = json_of(answer)
    if answer.status_code != 200 or not device.get("device_code"):
        reason = redacted(str(device.get("error_description") or device.get("error") or f"HTTP {answer.status_code}"))
        raise AuthError(f"The OpenID Connect provider refuses: {reason}", where=config.issuer, cure=_REFUSED)
    show(str(device.get("verification_uri_complete") or device.get("verification_uri")), str(device.get("user_code")))
    given = _poll(session, token_url, device, config, sleep)
    return _kept(given, config, nonce=None)


def log_out(config: BrowserAuth, around: Surroundings) -> bool:
    """Forget the login, and tell the provider where it wants to know; whether there was one.

    The provider is not insisted on: what it does not hear of ends by itself.
    """
    store = LoginStore(config.issuer, config.client_id)
    try:
        kept = store.load()
    except AuthError:
        kept = None
    if kept and kept.get("refresh_token"):
        try:
            said = _metadata(config, around)
            if said.get("revocation_endpoint"):
                url = endpoint(said, "revocation_endpoint", config.issuer, cure=ISSUER_CURE)
                session = openid_session(config.client_id, around)
                with openid_errors(config.issuer, ISSUER_CURE):
                    session.revoke_token(url, token=kept["refresh_token"], token_type_hint="refresh_token")  # noqa: S106
        except KedroKubeflowError:
            # Not even a provider that is gone keeps a person logged in here.
            pass
    return store.forget()


def _metadata(config: BrowserAuth, around: Surroundings) -> dict[str, Any]:
    with Requests(around) as requests:
        return metadata(requests, config.issuer, cure=ISSUER_CURE)


def _refuse_error(answer: str, config: BrowserAuth) -> None:
    query = parse_qs(urlsplit(answer).query)
    # RFC 9207: who answers says so, and is the one that was asked.
    if query.get("iss", [config.issuer])[0].rstrip("/") != config.issuer:
        raise AuthError("Another OpenID Connect provider answers than was asked", where=config.issuer, cure=ISSUER_CURE)
    if "error" in query:
        reason = ": ".join(redacted(query[key][0]) for key in ("error", "error_description") if query.get(key))
        raise AuthError(f"The login was refused: {reason}", where=config.issuer, cure=_REFUSED)


def _poll(
    session: Any, token_url: str, device: dict[str, Any], config: BrowserAuth, sleep: Callable[[float], None]
) -> dict[str, Any]:
    """Ask until the person has logged in (RFC 8628, 3.4 and 3.5)."""
    from authlib.common.errors import AuthlibBaseError

    pause = float(device.get("interval") or 5)
    end = time.monotonic() + float(device.get("expires_in") or PATIENCE)
    while time.monotonic() < end:
        sleep(pause)
        with openid_errors(config.issuer, _REFUSED):
            try:
                return dict(session.fetch_token(token_url, grant_type=DEVICE_GRANT, device_code=device["device_code"]))
            except AuthlibBaseError as error:
                if error.error not in ("authorization_pending", "slow_down"):
                    raise
                pause += 5 if error.error == "slow_down" else 0
    raise AuthError("Nobody has logged in before the code ended", where=config.issuer, cure="begin again")


def _kept(given: dict[str, Any], config: BrowserAuth, *, nonce: str | None) -> Person:
    """Check what the provider gave (OpenID Connect Core 1.0, 3.1.3.7), and keep it.

    It came from the token endpoint itself, so that TLS stands for the signature (number 6 there).
    """
    claims = _claims(str(given.get("id_token") or ""))
    audience = claims.get("aud")
    if claims and (
        str(claims.get("iss", "")).rstrip("/") != config.issuer
        or config.client_id not in (audience if isinstance(audience, list) else [audience])
        or (nonce is not None and claims.get("nonce") != nonce)
    ):
        raise AuthError(
            "The OpenID Connect provider gave a token that is for somebody else", where=config.issuer, cure=ISSUER_CURE
        )
    token = token_of(given, config)
    store = LoginStore(config.issuer, config.client_id)
    remember(store, given, config)
    name = claims.get("email") or claims.get("preferred_username") or claims.get("name") or claims.get("sub") or "you"
    return Person(str(name), token.expires_at, bool(given.get("refresh_token")), store.place)


def _claims(jwt: str) -> dict[str, Any]:
    try:
        payload = jwt.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}
