"""How the server's certificate is checked, and what we show of ours: for the API and for the login alike."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from kedro_kubeflow.errors import ConfigError

_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True, kw_only=True)
class Tls:
    """How the server's certificate is checked, and what we show of ours."""

    ca_cert: str | None = None
    """A file of CA certificates; ``REQUESTS_CA_BUNDLE``, ``SSL_CERT_FILE`` or the ones that come with certifi, if None."""
    verify: bool = True
    client_cert: str | None = None
    client_key: str | None = None

    @property
    def ca_file(self) -> str | None:
        """The file of CA certificates; None for certifi's.

        Raises:
            ConfigError: a configured file is not there.
        """
        if self.ca_cert:
            return _file(self.ca_cert, "ssl_ca_cert")
        named = (os.environ.get(variable) for variable in _VARIABLES)
        return next((path for path in named if path and Path(path).is_file()), None)

    @property
    def cert_file(self) -> str | None:
        """The file of our own certificate. Raises as `ca_file` does."""
        return _file(self.client_cert, "ssl_client_cert") if self.client_cert else None

    @property
    def key_file(self) -> str | None:
        """The file of its key, if it is another one. Raises as `ca_file` does."""
        return _file(self.client_key, "ssl_client_key") if self.client_key else None

    @property
    def verify_option(self) -> bool | str:
        """As requests takes it: whether to check certificates, or by which file."""
        return (self.ca_file or True) if self.verify else False

    @property
    def cert_option(self) -> str | tuple[str, str] | None:
        """Our own certificate, likewise."""
        certificate, key = self.cert_file, self.key_file
        return (certificate, key) if certificate and key else certificate


def _file(path: str, key: str) -> str:
    found = Path(path).expanduser()
    if not found.is_file():
        raise ConfigError(f"There is no file {path}", where=f"kubeflow.yml, {key}", cure="name a PEM file")
    return str(found)
