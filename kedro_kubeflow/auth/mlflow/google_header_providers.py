"""MLflow request header providers for Google Cloud.

For MLflow behind Identity-Aware Proxy, on Cloud Run, or behind any other guard that asks for a Google ID token.
"""

from __future__ import annotations

from kedro_kubeflow.auth.credentials.provider import AuthProvider
from kedro_kubeflow.auth.mlflow import flat_params
from kedro_kubeflow.auth.mlflow.header_providers import CredentialsRequestHeaderProvider


class MLFlowGoogleOauthRequestHeaderProvider(CredentialsRequestHeaderProvider):
    """An ID token of the ambient Google credentials, for the OAuth client ``client_id``.

    Ambient are a service account's key file (``GOOGLE_APPLICATION_CREDENTIALS``), the metadata server (Compute Engine,
    Cloud Run, GKE with workload identity), workload identity federation with a service account, and gcloud's
    ``--impersonate-service-account`` login.

    Raises:
        AuthError: ``client_id`` is missing.
    """

    def credentials(self, where: str) -> AuthProvider:
        """See `CredentialsRequestHeaderProvider`."""
        return flat_params.google_oauth(self.params, where=where)


class MLFlowGoogleIAMRequestHeaderProvider(CredentialsRequestHeaderProvider):
    """An ID token for ``client_id`` by impersonating ``service_account``, with its e-mail address in the token.

    The ambient credentials need ``roles/iam.serviceAccountTokenCreator`` on the service account; a person's login
    (``gcloud auth application-default login``) will do.

    Raises:
        AuthError: a parameter is missing.
    """

    def credentials(self, where: str) -> AuthProvider:
        """See `CredentialsRequestHeaderProvider`."""
        return flat_params.google_iam(self.params, where=where)
