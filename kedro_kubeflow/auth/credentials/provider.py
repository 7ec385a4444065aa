"""What every way to authenticate offers, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Protocol, runtime_checkable


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What a provider may need to know beside its own configuration.

    Attributes:
        host: the server's address, with scheme and path.
        env: the environment variables.
        verify: whether to check certificates, or the file of the CA to check them against, as requests takes it.
        client_cert: our own certificate, likewise: a file that holds the key too, or both files.
    """

    host: str
    env: Mapping[str, str] = dataclasses.field(repr=False)
    verify: bool | str = True
    client_cert: str | tuple[str, str] | None = None


@runtime_checkable
class AuthProvider(Protocol):
    """Credentials for a server, as HTTP headers.

    Both methods may be called by many threads at once.
    """

    def headers(self) -> dict[str, str]:
        """The headers to send with one request (``Authorization``, ``Cookie``, or none).

        Called for each request: what is costly is cached, and renewed before it expires.

        Raises:
            AuthError: the credentials are missing or were refused.
            ServerError: whoever gives them out does not answer; asking again later may help.
        """

    def renew(self) -> bool:
        """Forget what is cached, after a server refused it.

        Returns:
            Whether `headers` may now give something else. False: the refusal is final.
        """


@runtime_checkable
class Heeding(Protocol):
    """A provider whose credentials the server itself may renew, in an answer."""

    def heed(self, set_cookie: str) -> None:
        """Take over what is ours of an answer's ``Set-Cookie``."""
