"""Header values from secrets."""

from __future__ import annotations

import re

from kedro_kubeflow.errors import AuthError


def authorization(secret: str, *, scheme: str = "Bearer", where: str | None = None) -> dict[str, str]:
    """The ``Authorization`` header (RFC 9110, 11.6.2) for a secret.

    Args:
        secret: a token, or a whole value that names its own scheme, such as ``Basic dXNlcjpwdw==``.
        scheme: what to put before a token.
        where: what the secret was read from, for the error.

    Raises:
        AuthError: the secret cannot stand in a header.
    """
    value = sendable(bare(secret, "Authorization"), where=where)
    return {"Authorization": value if " " in value else f"{scheme} {value}"}


def bare(secret: str, name: str) -> str:
    """A secret without the header's name, which is there when it is copied out of a browser or a command line."""
    return re.sub(rf"^\s*{name}\s*:\s*", "", secret, flags=re.IGNORECASE)


def sendable(secret: str, *, where: str | None = None) -> str:
    """The secret without surrounding blanks.

    Checked here, as the HTTP libraries would quote it in their error.

    Raises:
        AuthError: the secret is empty, has a line break or is not ASCII.
    """
    value = secret.strip()
    if not value:
        raise AuthError("The secret is empty", where=where, cure="put the token there")
    if not (value.isascii() and value.isprintable()):
        raise AuthError(
            "The secret cannot stand in an HTTP header: it has line breaks or characters beyond ASCII",
            where=where,
            cure="give the bare token, nothing around it",
        )
    return value
