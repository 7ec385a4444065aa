"""Google ID tokens (https://cloud.google.com/docs/authentication/get-id-token), by google-auth alone."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from kedro_kubeflow.auth.credentials.header import authorization
from kedro_kubeflow.auth.credentials.token import Token, TokenCache, expiry_of
from kedro_kubeflow.auth.google.errors import WHO_CAN, google_errors
from kedro_kubeflow.errors import AuthError

CLOUD_PLATFORM = "https://www.googleapis.com/auth/cloud-platform"
# Where google-auth does not say how long a token holds.
UNKNOWN_LIFETIME = 300.0
ANSWER_TIMEOUT = 20.0
LET_IN = (
    "check that the service account exists, is enabled and its key is not revoked; a Kubernetes or federated identity "
    "needs roles/iam.workloadIdentityUser on it; check this machine's clock"
)


class GoogleIdToken:
    """A bearer ID token for an audience, such as the OAuth client of an Identity-Aware Proxy.

    Args:
        audience: whom the token is for.
        service_account: the e-mail address of a service account to impersonate; the ambient credentials' own identity
            if it is not given.
    """

    def __init__(self, audience: str, service_account: str | None = None) -> None:
        self.audience = audience
        self.service_account = service_account
        self._cache = TokenCache(partial(impersonated, service_account) if service_account else ambient)

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        return authorization(self._cache.get(self.audience), where="Google's answer")

    def renew(self) -> bool:
        """See `AuthProvider`."""
        self._cache.drop()
        return True

    def __str__(self) -> str:
        return f"a Google ID token for {self.audience}" + (
            f" as {self.service_account}" if self.service_account else ""
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(audience={self.audience!r}, service_account={self.service_account!r})"


def ambient(audience: str) -> Token:
    """An ID token of whoever this process is: a key file's service account, the metadata server's, a federated one.

    Raises:
        AuthError: nobody, or somebody for whom Google makes no ID tokens.
        ServerError: Google does not answer.
    """
    with google_errors(f"ID token for {audience}", cure=LET_IN):
        return _refreshed(_ambient_credentials(audience))


def impersonated(service_account: str, audience: str) -> Token:
    """An ID token of a service account that the ambient credentials may impersonate, with its e-mail address inside.

    Raises:
        AuthError: there are no ambient credentials, or they may not.
        ServerError: Google does not answer.
    """
    import google.auth

    cure = (
        f"grant the caller roles/iam.serviceAccountTokenCreator on {service_account}, enable the IAM Service Account "
        "Credentials API (iamcredentials.googleapis.com) in its project, and check the address"
    )
    with google_errors(f"ID token for {audience} as {service_account}", cure=cure):
        source, _ = google.auth.default(scopes=[CLOUD_PLATFORM])
        return _refreshed(_impersonating(_unless_itself(source, service_account), service_account, audience))


def refresh(credentials: Any) -> None:
    """Let google-auth's credentials get a token."""
    from google.auth.transport.requests import Request

    # Every thread waits for the one that asks; google-auth alone would wait for two minutes.
    credentials.refresh(partial(Request(), timeout=ANSWER_TIMEOUT))


def _refreshed(credentials: Any) -> Token:
    refresh(credentials)
    value = str(credentials.token)
    return Token(value, expires_at=expiry_of(value) or time.time() + UNKNOWN_LIFETIME)


def _ambient_credentials(audience: str) -> Any:
    """Credentials that make ID tokens, from ambient ones of whatever kind."""
    import google.auth
    from google.auth import external_account, impersonated_credentials
    from google.oauth2 import credentials as person
    from google.oauth2 import id_token

    credentials, _ = google.auth.default(scopes=[CLOUD_PLATFORM])
    if isinstance(credentials, impersonated_credentials.Credentials):
        return impersonated_credentials.IDTokenCredentials(credentials, audience, include_email=True)
    if isinstance(credentials, external_account.Credentials) and credentials.service_account_email:
        account = credentials.service_account_email
        return _impersonating(_unless_itself(credentials, account), account, audience)
    if isinstance(credentials, person.Credentials | external_account.Credentials):
        raise AuthError(
            "Google makes no ID tokens for the ambient credentials: they are a person's, or of a federated identity "
            "without a service account",
            where=f"ID token for {audience}",
            cure=WHO_CAN,
        )
    # A key file, or the metadata server.
    return id_token.fetch_id_token_credentials(audience)


def _unless_itself(credentials: Any, service_account: str) -> Any:
    """A federated identity's own credentials, where google-auth would first turn them into the service account.

    The identity may impersonate it, but a service account seldom may impersonate itself.
    """
    from google.auth import external_account

    if (
        not isinstance(credentials, external_account.Credentials)
        or credentials.service_account_email != service_account
    ):
        return credentials
    info = {
        key: value for key, value in credentials.info.items() if not key.startswith("service_account_impersonation")
    }
    return type(credentials).from_info(info, scopes=[CLOUD_PLATFORM])


def _impersonating(source: Any, service_account: str, audience: str) -> Any:
    from google.auth import impersonated_credentials

    target = impersonated_credentials.Credentials(
        source_credentials=source, target_principal=service_account, target_scopes=[CLOUD_PLATFORM]
    )
    return impersonated_credentials.IDTokenCredentials(target, target_audience=audience, include_email=True)
