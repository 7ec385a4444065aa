"""Who we are: what the client wants of an authentication provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Credentials(Protocol):
    """What each request carries."""

    def headers(self) -> Mapping[str, str]:
        """The headers of one request."""
        ...

    def renew(self) -> bool:
        """Get new credentials, as the server refused those at hand; False where there is no way to."""
        ...


class NoCredentials:
    """Nobody."""

    def headers(self) -> Mapping[str, str]:
        """No headers."""
        return {}

    def renew(self) -> bool:
        """There is nothing to renew."""
        return False
