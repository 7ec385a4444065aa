"""Google's Identity-Aware Proxy (https://cloud.google.com/iap/docs/authentication-howto)."""

from __future__ import annotations

from collections.abc import Mapping

from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.google.id_token import GoogleIdToken
from kedro_kubeflow.config.auth import IapAuth
from kedro_kubeflow.errors import AuthError

# Ours of old, and KFP's own.
CLIENT_ID_VARIABLES = ("IAP_CLIENT_ID", "KF_PIPELINES_IAP_OAUTH2_CLIENT_ID")


def from_config(config: IapAuth, around: Surroundings) -> GoogleIdToken:
    """The provider that the section `auth` describes."""
    client_id = config.client_id or client_id_of(around.env)
    if not client_id:
        raise AuthError(
            "The OAuth client of the Identity-Aware Proxy is not known",
            where="kubeflow.yml: auth",
            cure="give `client_id`, or set IAP_CLIENT_ID (….apps.googleusercontent.com)",
        )
    return GoogleIdToken(client_id, config.service_account)


def client_id_of(env: Mapping[str, str]) -> str | None:
    """The proxy's OAuth client, where the environment names it."""
    return next((env[name] for name in CLIENT_ID_VARIABLES if env.get(name)), None)
