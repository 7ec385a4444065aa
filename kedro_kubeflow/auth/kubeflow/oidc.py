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
from kedro_kubeflow.auth.kubeflow.http_errors import TIMEOUT, http_errors
from kedro_kubeflow.config.auth import OidcAuth
from kedro_kubeflow.errors import AuthError, KedroKubeflowError, ServerError

UNKNOWN_LIFETIME = 300.0


def from_config(config: OidcAuth, around: Surroundings) -> ClientCredentials:
    """The provider that the section `auth` describes."""
    return ClientCredentials(config, source_of(config.client_secret, around.env), verify=around.verify)


class ClientCredentials:
    """A bearer token that a client gets with its own id and secret.

    Args:
        config: the provider and the client.
        secret: the client's secret.
        verify: how to check the provider's certificate, as requests takes it.
    """

    def __init__(self, config: OidcAuth, secret: SecretSource, *, verify: bool | str = True) -> None:
        self._config = config
        self._secret = secret
        self._verify = verify
        self._cache = TokenCache(self._fetch)

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        return authorization(self._cache.get(self._config.audience or ""), where="the provider's answer")

    def renew(self) -> bool:
        """See `AuthProvider`."""
        self._secret.renew()
        self._cache.drop()
        return True

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._config.issuer or self._config.token_url!r}, {self._config.client_id!r})"

    def _fetch(self, audience: str) -> Token:
        import requests

        url = self._config.token_url or self._discovered()
        form = {"grant_type": "client_credentials", "scope": self._config.scope, "audience": audience or None}
        client, secret = self._config.client_id, self._secret.read()
        if self._config.client_auth == "post":
            form |= {"client_id": client, "client_secret": secret}
        with http_errors("The token endpoint", url):
            answer = requests.post(
                url,
                data=form,
                # Something must be given: requests would look for other credentials in ~/.netrc.
                auth=_nothing if self._config.client_auth == "post" else (quote(client, ""), quote(secret, "")),
                headers={"Accept": "application/json"},
                verify=self._verify,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        return _token(answer, url, client)

    def _discovered(self) -> str:
        """The token endpoint (OpenID Connect Discovery 1.0, 4)."""
        import requests

        url = f"{str(self._config.issuer).rstrip('/')}/.well-known/openid-configuration"
        with http_errors("The OpenID Connect provider", url):
            answer = requests.get(url, verify=self._verify, timeout=TIMEOUT)
        endpoint = _json(answer).get("token_endpoint")
        if not endpoint:
            raise AuthError(
                f"The OpenID Connect provider does not describe itself there (HTTP {answer.status_code})",
                where=url,
                cure="check `issuer`, or give `token_url`",
            )
        return str(endpoint)


def _nothing(request: Any) -> Any:
    return request


def _json(answer: Any) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _token(answer: Any, url: str, client: str) -> Token:
    said = _json(answer)
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
