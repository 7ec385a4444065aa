"""Google access tokens, for pipelines that Google hosts behind its inverting proxy."""

from __future__ import annotations

import datetime
import time

from kedro_kubeflow.auth.credentials.header import authorization
from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.credentials.token import Token, TokenCache
from kedro_kubeflow.auth.google.errors import google_errors
from kedro_kubeflow.auth.google.id_token import CLOUD_PLATFORM, UNKNOWN_LIFETIME, refresh
from kedro_kubeflow.config.auth import GoogleAuth

LET_IN = "log in again (`gcloud auth application-default login`), or check the service account and its roles"


def from_config(_config: GoogleAuth, _around: Surroundings) -> GoogleAccessToken:
    """The provider that the section `auth` describes."""
    return GoogleAccessToken()


class GoogleAccessToken:
    """A bearer access token of the ambient Google credentials, whoever they are."""

    def __init__(self) -> None:
        self._cache = TokenCache(_access_token)

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        return authorization(self._cache.get(CLOUD_PLATFORM), where="Google's answer")

    def renew(self) -> bool:
        """See `AuthProvider`."""
        self._cache.drop()
        return True

    def __str__(self) -> str:
        return "a Google access token"

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _access_token(scope: str) -> Token:
    import google.auth

    with google_errors("access token for Google Cloud", cure=LET_IN):
        credentials, _ = google.auth.default(scopes=[scope])
        refresh(credentials)
        # google-auth's own times are UTC without saying so.
        ends: datetime.datetime | None = credentials.expiry
        expires_at = ends.replace(tzinfo=datetime.timezone.utc).timestamp() if ends else time.time() + UNKNOWN_LIFETIME
        return Token(str(credentials.token), expires_at=expires_at)
