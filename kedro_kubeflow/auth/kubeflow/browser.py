"""A person's own login, as `kedro kubeflow login` has begun it: its token, renewed by its refresh token."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

from kedro_kubeflow.auth.credentials.header import authorization
from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.credentials.token import Token, TokenCache, expiry_of
from kedro_kubeflow.auth.kubeflow.answer import Answer
from kedro_kubeflow.auth.kubeflow.gateway import missing_at_gateway
from kedro_kubeflow.auth.kubeflow.http import Requests
from kedro_kubeflow.auth.kubeflow.login_store import LoginStore
from kedro_kubeflow.auth.kubeflow.openid_metadata import endpoint, metadata
from kedro_kubeflow.config.auth import BrowserAuth
from kedro_kubeflow.errors import AuthError, ServerError

LOG_IN = "kedro kubeflow login"
ISSUER_CURE = "check `issuer` under `auth`"


def from_config(config: BrowserAuth, around: Surroundings) -> BrowserLogin:
    """The provider that the section `auth` describes."""
    return BrowserLogin(config, around)


class BrowserLogin:
    """The token of a person who has logged in.

    Args:
        config: the provider and the client.
        around: how to check the provider's certificate.
    """

    def __init__(self, config: BrowserAuth, around: Surroundings) -> None:
        self._config = config
        self._around = around
        self._store = LoginStore(config.issuer, config.client_id)
        self._refused: str | None = None
        self._cache = TokenCache(lambda _: self._token())

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        return authorization(self._cache.get(), where="the provider's answer")

    def renew(self) -> bool:
        """See `AuthProvider`."""
        kept = self._store.load() or {}
        self._refused = _value(kept, self._config)
        self._cache.drop()
        return bool(kept.get("refresh_token"))

    def explain(self, answer: Answer) -> tuple[str, str] | None:
        """What a gateway that refuses this login's token lacks, and the line to add; None where it is not known."""
        return missing_at_gateway(answer, self._config)

    def __str__(self) -> str:
        return f"the login at {self._config.issuer}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._config.issuer!r}, {self._config.client_id!r})"

    def _token(self) -> Token:
        kept = self._store.load()
        if kept is None:
            raise AuthError("Nobody is logged in", where=self._config.issuer, cure=LOG_IN)
        token = token_of(kept, self._config)
        if token.value != self._refused and token.renew_at > time.time():
            return token
        if not kept.get("refresh_token"):
            if token.expires_at > time.time() and token.value != self._refused:
                return token
            raise AuthError(
                "The login has ended, and has no refresh token",
                where=self._config.issuer,
                cure=f"{LOG_IN}; the scope `offline_access` asks for one, at some providers with `prompt: consent`",
            )
        try:
            return token_of(self._refreshed(kept), self._config)
        except ServerError:
            if token.value == self._refused or token.expires_at <= time.time():
                raise
            # The provider is away, and this one still holds for a while.
            return dataclasses.replace(token, obtained_at=time.time())

    def _refreshed(self, kept: dict[str, Any]) -> dict[str, Any]:
        from kedro_kubeflow.auth.kubeflow.openid_session import openid_errors, openid_session

        with Requests(self._around) as requests:
            said = metadata(requests, self._config.issuer, cure=ISSUER_CURE)
        url = endpoint(said, "token_endpoint", self._config.issuer, cure=ISSUER_CURE)
        session = openid_session(self._config.client_id, self._around)
        # Authlib takes what is not renewed out of the token at hand.
        session.token = dict(kept)
        try:
            with openid_errors(self._config.issuer, f"the login has ended: {LOG_IN}"):
                fresh = session.refresh_token(url, refresh_token=kept["refresh_token"])
        except AuthError:
            # Another process may have been faster: a refresh token is often good for one use.
            now = self._store.load()
            if now and now.get("refresh_token") != kept["refresh_token"]:
                return now
            raise
        return remember(self._store, {**kept, **fresh}, self._config)


def token_of(kept: dict[str, Any], config: BrowserAuth) -> Token:
    """The token that Kubeflow is sent, with its end.

    Raises:
        AuthError: the provider has given none of that kind.
    """
    value = _value(kept, config)
    if not value:
        raise AuthError(
            f"The OpenID Connect provider has given no {config.token}",
            where=config.issuer,
            cure="set `scope` (with `openid`) or `token` under `auth`, and log in again",
        )
    ends = expiry_of(value) or kept.get("expires_at") or math.inf
    return Token(value, expires_at=float(ends), obtained_at=float(kept.get("obtained_at") or time.time()))


def remember(store: LoginStore, given: dict[str, Any], config: BrowserAuth) -> dict[str, Any]:
    """Keep what the provider gave, and when."""
    kept = {**given, "obtained_at": time.time(), "issuer": config.issuer, "client_id": config.client_id}
    store.save(kept)
    return kept


def _value(kept: dict[str, Any], config: BrowserAuth) -> str:
    return str(kept.get(config.token) or "")
