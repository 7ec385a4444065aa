"""Texts of others, made fit for an error message."""

from __future__ import annotations

import re

LONGEST = 300
# JSON Web Tokens, Google's access tokens, keys, and any other run that no word or host name is as long as.
_SECRETS = re.compile(r"eyJ[\w-]+(?:\.[\w-]*)*|ya29\.[\w.-]+|-----BEGIN[^-]*-----[^-]*|[\w+=-]{32,}")


def redacted(text: str, *secrets: str) -> str:
    """One line of a server's message, without what looks like a secret in it.

    Args:
        text: what it said.
        secrets: what it was sent, and so may have quoted.
    """
    line = " ".join(text.split())
    for secret in filter(None, secrets):
        line = line.replace(secret, "[redacted]")
    line = _SECRETS.sub("[redacted]", line)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} …"
