"""Session cookies (RFC 6265) that somebody else got, such as one copied from a browser."""

from __future__ import annotations

from kedro_kubeflow.auth.credentials.header import sendable
from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.credentials.secret import SecretSource, source_of
from kedro_kubeflow.config.auth import CookieAuth


def from_config(config: CookieAuth, around: Surroundings) -> SessionCookie:
    """The provider that the section `auth` describes."""
    return SessionCookie(source_of(config.value, around.env), name=config.name)


class SessionCookie:
    """A cookie from a variable, a file or a command.

    Args:
        value: the cookie's value, or the whole ``name=value; …``.
        name: the cookie's name, where `value` is its value alone.
    """

    def __init__(self, value: SecretSource, *, name: str | None = None) -> None:
        self._value = value
        self._name = name

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        value = sendable(self._value.read(), where=repr(self._value))
        return {"Cookie": f"{self._name}={value}" if self._name else value}

    def renew(self) -> bool:
        """See `AuthProvider`."""
        return self._value.renew()

    def __str__(self) -> str:
        return f"the cookie from {self._value!r}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._value!r})"
