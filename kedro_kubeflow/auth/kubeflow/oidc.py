"""OAuth 2.0 client credentials (RFC 6749, 4.4) at an OpenID Connect provider, such as Keycloak or Entra ID."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

from kedro_kubeflow.auth.credentials.header import authorization
from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.auth.credentials.secret import SecretSource, source_of
from kedro_kubeflow.auth.credentials.token import Token, TokenCache, expiry_of
from kedro_kubeflow.auth.kubeflow.addresses import address, redirected
from kedro_kubeflow.auth.kubeflow.http import Requests
from kedro_kubeflow.auth.kubeflow.openid_metadata import endpoint, json_of, metadata
from kedro_kubeflow.config.auth import OidcAuth
from kedro_kubeflow.errors import AuthError, KedroKubeflowError, ServerError

UNKNOWN_LIFETIME = 300.0


def from_config(config: OidcAuth, around: Surroundings) -> ClientCredentials:
    """The provider that the section `auth` describes."""
    return ClientCredentials(config, source_of(config.client_secret, around.env), around)


class ClientCredentials:
    """A bearer token that a client gets with its own id and secret.

    Args:
        config: the provider and the client.
        secret: the client's secret.
        around: how to check the provider's certificate.
    """

    def __init__(self, config: OidcAuth, secret: SecretSource, around: Surroundings) -> None:
        self._config = config
        self._secret = secret
        self._around = around
        self._cache = TokenCache(self._fetch)

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        return authorization(self._cache.get(self._config.audience or ""), where="the provider's answer")

    def renew(self) -> bool:
        """See `AuthProvider`."""
        self._secret.renew()
        self._cache.drop()
        return True

    def __str__(self) -> str:
        return f"the client {self._config.client_id!r} at {self._config.issuer or self._config.token_url}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._config.issuer or self._config.token_url!r}, {self._config.client_id!r})"

    def _fetch(self, audience: str) -> Token:
        with Requests(self._around) as requests:
            url = self._config.token_url or self._discovered(requests)
            form = {"grant_type": "client_credentials", "scope": self._config.scope, "audience": audience or None}
            client, secret = self._config.client_id, self._secret.read()
            more: dict[str, Any] = {}
            if self._config.client_auth == "post":
                form |= {"client_id": client, "client_secret": secret}
            else:
                more["auth"] = (quote(client, ""), quote(secret, ""))
            answer = requests.post(
                url, form, "The token endpoint", again=True, headers={"Accept": "application/json"}, **more
            )
        if target := redirected(answer):
            raise AuthError(
                "The token endpoint sends to another address: the client's secret is not sent there",
                where=url,
                cure=f"if {address(target)} is right, write it as `token_url` under `auth`",
            )
        return _token(answer, url, client)

    def _discovered(self, requests: Requests) -> str:
        said = metadata(requests, str(self._config.issuer), cure="give `token_url` in place of `issuer`")
        return endpoint(said, "token_endpoint", str(self._config.issuer), cure="give `token_url` in place of `issuer`")


def _token(answer: Any, url: str, client: str) -> Token:
    said = json_of(answer)
    value = said.get("access_token")
    if answer.status_code != 200 or not isinstance(value, str):
        raise _refusal(answer.status_code, said, url, client)
    lifetime = said.get("expires_in")
    ends = time.time() + float(lifetime) if isinstance(lifetime, int | float) else expiry_of(value)
    return Token(value, expires_at=ends or time.time() + UNKNOWN_LIFETIME)


def _refusal(status: int, said: dict[str, Any], url: str, client: str) -> KedroKubeflowError:
    # Only what the standard says that errors consist of (RFC 6749, 5.2); the rest may be anything.
    reason = ": ".join(redacted(str(said[key])) for key in ("error", "error_description") if said.get(key))
    if status >= 500 or status == 429:
        return ServerError(f"The token endpoint fails (HTTP {status})", where=url, cure="try again later")
    return AuthError(
        f"The token endpoint refuses the client {client!r}: {reason or f'HTTP {status} without a token'}",
        where=url,
        cure="check `client_id`, its secret, `client_auth`, and that the client may use the client credentials grant",
    )
