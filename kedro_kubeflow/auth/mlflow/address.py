"""An MLflow server's address that holds a user and a password: parted, before a log says it.

kedro-mlflow and MLflow write the address into logs as it is. MLflow takes the two from ``MLFLOW_TRACKING_USERNAME`` and
``MLFLOW_TRACKING_PASSWORD`` as well (https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/).
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

URI, USERNAME, PASSWORD = "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
ADDRESSES = ("mlflow_tracking_uri", "mlflow_registry_uri")
"""Keys of mlflow.yml, under ``server``."""


def holds_password(uri: str) -> bool:
    """Whether an address, of a server or of a database, has a password in it."""
    return bool((_split(uri) or urlsplit("")).password)


def parted(uri: str) -> tuple[str, str, str] | None:
    """The bare address, the user and the password; None where a server's address holds none.

    >>> parted("https://ann:p%40ss@mlflow.example.com/x")
    ('https://mlflow.example.com/x', 'ann', 'p@ss')
    """
    parts = _split(uri)
    if parts is None or parts.scheme not in ("http", "https") or "@" not in parts.netloc:
        return None
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return bare, unquote(parts.username or ""), unquote(parts.password or "")


def move_credentials(environ: MutableMapping[str, str], uri: str) -> str:
    """The bare address; what it held goes to MLflow's variables, where these are not set.

    Args:
        environ: the environment variables, changed.
    """
    found = parted(uri)
    if found is None:
        return uri
    bare, user, password = found
    if not environ.get(USERNAME) and not environ.get(PASSWORD):
        environ[USERNAME], environ[PASSWORD] = user, password
    return bare


def without_credentials(section: Mapping[str, Any], environ: MutableMapping[str, str]) -> dict[str, Any] | None:
    """A whole mlflow.yml with bare addresses; None where they are bare.

    Args:
        section: what mlflow.yml says.
        environ: the environment variables, changed.
    """
    server = section.get("server")
    if not isinstance(server, Mapping):
        return None
    moved = {
        key: move_credentials(environ, server[key])
        for key in ADDRESSES
        if isinstance(server.get(key), str) and parted(server[key])
    }
    return {**section, "server": {**server, **moved}} if moved else None


def _split(uri: str) -> SplitResult | None:
    try:
        return urlsplit(uri)
    except ValueError:
        return None
