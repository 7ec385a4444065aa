"""Session cookies (RFC 6265) that somebody else got, such as one copied from a browser."""

from __future__ import annotations

import re

from kedro_kubeflow.auth.credentials.header import bare, sendable
from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.credentials.secret import SecretSource, source_of
from kedro_kubeflow.config.auth import CookieAuth


def from_config(config: CookieAuth, around: Surroundings) -> SessionCookie:
    """The provider that the section `auth` describes."""
    return SessionCookie(source_of(config.value, around.env), name=config.name)


class SessionCookie:
    """A cookie from a variable, a file or a command.

    Args:
        value: the cookie's value, or the whole ``name=value; …``, with ``Cookie:`` before it or without.
        name: the cookie's name, where `value` is its value alone.
    """

    def __init__(self, value: SecretSource, *, name: str | None = None) -> None:
        self._value = value
        self._name = name
        self._renewed: dict[str, str] = {}

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        value = sendable(bare(self._value.read(), "Cookie"), where=repr(self._value))
        if self._name and not re.match(rf"{re.escape(self._name)}(_\d+)?=", value):
            value = f"{self._name}={value}"
        return {"Cookie": "; ".join(self._pair(pair) for pair in re.split(r";\s*", value) if pair)}

    def heed(self, set_cookie: str) -> None:
        """Take over what a server renews of ours (oauth2-proxy's ``cookie_refresh``).

        Args:
            set_cookie: the values of an answer's ``Set-Cookie``, joined by commas.
        """
        for pair in re.split(r";\s*", self.headers()["Cookie"]):
            name = pair.partition("=")[0]
            for value in re.findall(rf"(?:^|,\s*){re.escape(name)}=([^;,\s]*)", set_cookie):
                self._renewed[name] = value

    def _pair(self, pair: str) -> str:
        name = pair.partition("=")[0]
        # An empty value takes a cookie away: then it is the given one that is refused, and said to be.
        return f"{name}={self._renewed[name]}" if self._renewed.get(name) else pair

    def renew(self) -> bool:
        """See `AuthProvider`."""
        self._renewed.clear()
        return self._value.renew()

    def __str__(self) -> str:
        return f"the cookie from {self._value!r}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._value!r})"
