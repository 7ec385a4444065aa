"""MLflow request header providers that need no code: bearer tokens, basic authentication, token commands.

Named in mlflow.yml (https://kedro-mlflow.readthedocs.io, ``server.request_header_provider``)::

    server:
      request_header_provider:
        type: kedro_kubeflow.auth.mlflow.BearerTokenRequestHeaderProvider
        pass_context: true
        init_kwargs:
          token_file: /var/run/secrets/mlflow/token

With ``pass_context: true``, what ``init_kwargs`` lacks is taken from kubeflow.yml,
``run_config.mlflow.request_header_provider_params``. Secrets are given by reference
only. Each provider has a sibling for ``MLFLOW_TRACKING_AUTH``, see `kedro_kubeflow.auth.mlflow.request_auth`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from kedro_kubeflow.auth.credentials.provider import AuthProvider
from kedro_kubeflow.auth.mlflow import flat_params
from kedro_kubeflow.auth.mlflow.request_header_provider import RequestHeaderProviderWithKedroContext


class CredentialsRequestHeaderProvider(RequestHeaderProviderWithKedroContext):
    """Hands credentials to MLflow.

    Raises:
        AuthError: a parameter is missing.
    """

    def __init__(self, kedro_context: Any = None, **params: Any) -> None:
        super().__init__(kedro_context, **params)
        self._credentials = self.credentials(f"{type(self).__name__} (mlflow.yml: server.request_header_provider)")

    @abstractmethod
    def credentials(self, where: str) -> AuthProvider:
        """What `self.params` describes; `where` is for errors."""

    def in_context(self) -> bool:
        """Always (of several instances in a process, only the newest)."""
        return True

    def request_headers(self) -> dict[str, str]:
        """The ``Authorization`` header.

        Raises:
            AuthError: there are no credentials, or they were refused.
        """
        return self._credentials.headers()

    def renew(self) -> bool:
        """See `RequestHeaderProviderWithKedroContext`."""
        return self._credentials.renew()


class BearerTokenRequestHeaderProvider(CredentialsRequestHeaderProvider):
    """A token from ``token_env``, ``token_file`` (read for each request) or ``token_command``.

    ``scheme`` replaces ``Bearer``; a token with a scheme of its own (``Basic …``) is sent as it is. Without any of the
    three, the variable ``KEDRO_KUBEFLOW_MLFLOW_TOKEN`` is read.
    """

    def credentials(self, where: str) -> AuthProvider:
        """See `CredentialsRequestHeaderProvider`."""
        return flat_params.bearer(self.params, where=where)


class BasicAuthRequestHeaderProvider(CredentialsRequestHeaderProvider):
    """``username`` (or ``username_env``, …), and a password from ``password_env``, ``password_file`` or
    ``password_command``.

    Without any of these three, the variable ``KEDRO_KUBEFLOW_MLFLOW_PASSWORD`` is read.
    """

    def credentials(self, where: str) -> AuthProvider:
        """See `CredentialsRequestHeaderProvider`."""
        return flat_params.basic(self.params, where=where)


class TokenCommandRequestHeaderProvider(CredentialsRequestHeaderProvider):
    """A token, or a whole ``Authorization`` value, that the program ``command`` prints.

    The command is split as a shell would, but no shell is started. It runs again when its JSON Web Token is about to
    expire, or every ``ttl`` seconds (300) where it prints something else.
    """

    def credentials(self, where: str) -> AuthProvider:
        """See `CredentialsRequestHeaderProvider`."""
        return flat_params.command(self.params, where=where)
