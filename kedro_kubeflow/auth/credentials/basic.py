"""Basic authentication (RFC 7617)."""

from __future__ import annotations

import base64

from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.credentials.secret import SecretSource, source_of
from kedro_kubeflow.config.auth import BasicAuth, Secret
from kedro_kubeflow.errors import AuthError


def from_config(config: BasicAuth, around: Surroundings) -> BasicCredentials:
    """The provider that the section `auth` describes."""
    username = source_of(config.username, around.env) if isinstance(config.username, Secret) else config.username
    return BasicCredentials(username, source_of(config.password, around.env))


class BasicCredentials:
    """A user name and a password."""

    def __init__(self, username: str | SecretSource, password: SecretSource) -> None:
        self._username = username
        self._password = password

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        username = self._username if isinstance(self._username, str) else self._username.read()
        if ":" in username:
            raise AuthError("A user name of basic authentication has no colon (RFC 7617)", where=repr(self._username))
        pair = f"{username}:{self._password.read()}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode('ascii')}"}

    def renew(self) -> bool:
        """See `AuthProvider`."""
        renewed = [source.renew() for source in (self._username, self._password) if not isinstance(source, str)]
        return any(renewed)

    def __str__(self) -> str:
        user = self._username if isinstance(self._username, str) else repr(self._username)
        return f"the user {user}, and the password from {self._password!r}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._username!r}, {self._password!r})"
