"""Bearer tokens (RFC 6750), and any other ``Authorization`` that somebody else made."""

from __future__ import annotations

from kedro_kubeflow.auth.credentials.header import authorization
from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.credentials.secret import SecretSource, source_of
from kedro_kubeflow.config.auth import BearerAuth


def from_config(config: BearerAuth, around: Surroundings) -> BearerToken:
    """The provider that the section `auth` describes."""
    return BearerToken(source_of(config.token, around.env), scheme=config.scheme)


class BearerToken:
    """A token from a variable, a file or a command; one with a scheme of its own (``Basic …``) is sent as it is."""

    def __init__(self, token: SecretSource, *, scheme: str = "Bearer") -> None:
        self._token = token
        self._scheme = scheme

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        return authorization(self._token.read(), scheme=self._scheme, where=repr(self._token))

    def renew(self) -> bool:
        """See `AuthProvider`."""
        return self._token.renew()

    def __str__(self) -> str:
        return f"the token from {self._token!r}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._token!r})"
