"""Nobody: for a port-forward, or a server without authentication."""

from __future__ import annotations

from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.config.auth import NoAuth


def from_config(_config: NoAuth, _around: Surroundings) -> NoCredentials:
    """The provider that the section `auth` describes."""
    return NoCredentials()


class NoCredentials:
    """Sends nothing."""

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        return {}

    def renew(self) -> bool:
        """See `AuthProvider`."""
        return False

    def __str__(self) -> str:
        return "no credentials"

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
