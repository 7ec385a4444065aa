"""The same credentials for ``MLFLOW_TRACKING_AUTH`` (https://mlflow.org/docs/latest/ml/plugins/#authentication-plugins).

MLflow makes these by entry point, and they cover the ``mlflow`` command line too. Parameters are environment
variables: ``client_id`` of the header provider is ``KEDRO_KUBEFLOW_MLFLOW_CLIENT_ID`` here. Errors are raised as they
are.

=================================  ==============================================================================
``MLFLOW_TRACKING_AUTH``           parameters, each with ``KEDRO_KUBEFLOW_MLFLOW_`` before it
=================================  ==============================================================================
``kedro-kubeflow-bearer``          ``TOKEN``, or one of ``TOKEN_ENV``, ``TOKEN_FILE``, ``TOKEN_COMMAND``; ``SCHEME``
``kedro-kubeflow-basic``           ``USERNAME``; ``PASSWORD``, or one of ``PASSWORD_ENV``, ``_FILE``, ``_COMMAND``
``kedro-kubeflow-command``         ``COMMAND``; ``TTL``, ``SCHEME``
``kedro-kubeflow-google-oauth``    ``CLIENT_ID``
``kedro-kubeflow-google-iam``      ``CLIENT_ID``, ``SERVICE_ACCOUNT``
=================================  ==============================================================================
"""

from __future__ import annotations

import os
import threading
from abc import abstractmethod
from typing import ClassVar

from mlflow.tracking.request_auth.abstract_request_auth_provider import RequestAuthProvider

from kedro_kubeflow.auth.credentials.provider import AuthProvider
from kedro_kubeflow.auth.mlflow import flat_params
from kedro_kubeflow.auth.mlflow.renewal import RenewingAuth

# The secrets themselves, in this scheme; parameters only refer to them.
_SECRETS = {"token", "password"}


class EnvironmentRequestAuthProvider(RequestAuthProvider):  # type: ignore[misc]
    """Credentials by environment variables."""

    name: ClassVar[str]
    """The value of ``MLFLOW_TRACKING_AUTH`` that chooses this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._credentials: tuple[dict[str, str], AuthProvider] | None = None

    def get_name(self) -> str:
        """See MLflow."""
        return self.name

    def get_auth(self) -> RenewingAuth:
        """See MLflow.

        Raises:
            AuthError: a variable is missing, there are no credentials, or they were refused.
        """
        params = {
            key.removeprefix(flat_params.ENV_PREFIX).lower(): value
            for key, value in os.environ.items()
            if key.startswith(flat_params.ENV_PREFIX)
        }
        return RenewingAuth(self._provider({k: v for k, v in params.items() if k not in _SECRETS}))

    @abstractmethod
    def credentials(self, params: dict[str, str], where: str) -> AuthProvider:
        """What the parameters describe; `where` is for errors."""

    def _provider(self, params: dict[str, str]) -> AuthProvider:
        """The one provider of this process, with its cache; another one when the variables change."""
        with self._lock:
            if self._credentials is None or self._credentials[0] != params:
                where = f"MLFLOW_TRACKING_AUTH={self.name}, {flat_params.ENV_PREFIX}…"
                self._credentials = (params, self.credentials(params, where))
            return self._credentials[1]


class BearerTokenRequestAuthProvider(EnvironmentRequestAuthProvider):
    """A token from a variable, a file or a command."""

    name = "kedro-kubeflow-bearer"

    def credentials(self, params: dict[str, str], where: str) -> AuthProvider:
        """See `EnvironmentRequestAuthProvider`."""
        return flat_params.bearer(params, where=where)


class BasicRequestAuthProvider(EnvironmentRequestAuthProvider):
    """A user name and a password."""

    name = "kedro-kubeflow-basic"

    def credentials(self, params: dict[str, str], where: str) -> AuthProvider:
        """See `EnvironmentRequestAuthProvider`."""
        return flat_params.basic(params, where=where)


class TokenCommandRequestAuthProvider(EnvironmentRequestAuthProvider):
    """Whatever a command prints."""

    name = "kedro-kubeflow-command"

    def credentials(self, params: dict[str, str], where: str) -> AuthProvider:
        """See `EnvironmentRequestAuthProvider`."""
        return flat_params.command(params, where=where)


class GoogleOauthRequestAuthProvider(EnvironmentRequestAuthProvider):
    """A Google ID token of the ambient credentials."""

    name = "kedro-kubeflow-google-oauth"

    def credentials(self, params: dict[str, str], where: str) -> AuthProvider:
        """See `EnvironmentRequestAuthProvider`."""
        return flat_params.google_oauth(params, where=where)


class GoogleIAMRequestAuthProvider(EnvironmentRequestAuthProvider):
    """A Google ID token by impersonation."""

    name = "kedro-kubeflow-google-iam"

    def credentials(self, params: dict[str, str], where: str) -> AuthProvider:
        """See `EnvironmentRequestAuthProvider`."""
        return flat_params.google_iam(params, where=where)
