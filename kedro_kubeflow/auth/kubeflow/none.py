"""Nobody: for a port-forward, or a server without authentication."""

from __future__ import annotations

from collections.abc import Mapping

from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.config.auth import NoAuth

_ALLOW = (
    "make the {what} anew, and tick “Allow access to Kubeflow Pipelines” under its configurations (a PodDefault of the "
    "namespace mounts the token), or set `auth` in kubeflow.yml"
)


def from_config(_config: NoAuth, _around: Surroundings) -> NoCredentials:
    """The provider that the section `auth` describes."""
    return NoCredentials()


def undetected(env: Mapping[str, str]) -> NoCredentials:
    """The provider where nothing is configured, and the environment has nothing either."""
    if "KUBERNETES_SERVICE_HOST" not in env:
        return NoCredentials()
    what = "notebook" if env.get("NB_PREFIX") else "pod"
    return NoCredentials(
        why=f"this {what} was started without a token for Kubeflow Pipelines", cure=_ALLOW.format(what=what)
    )


class NoCredentials:
    """Sends nothing.

    Args:
        why: why there is nothing, if that is known.
        cure: what to do about it, likewise.
    """

    def __init__(self, *, why: str | None = None, cure: str | None = None) -> None:
        self.why = why
        self.cure = cure

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        return {}

    def renew(self) -> bool:
        """See `AuthProvider`."""
        return False

    def __str__(self) -> str:
        return self.why or "no credentials"

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
