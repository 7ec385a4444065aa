"""Texts of others, made fit for an error message."""

from __future__ import annotations

import re

LONGEST = 400
# JSON Web Tokens, Google's access tokens, keys, and any other run that no word or host name is as long as.
_SECRETS = re.compile(r"eyJ[\w-]+(?:\.[\w-]*)*|ya29\.[\w.-]+|-----BEGIN[^-]*-----[^-]*|[\w+=-]{32,}")
_LONGEST_WORD = 24


def redacted(text: str, *secrets: str) -> str:
    """One line of a server's message, without what looks like a secret in it.

    Args:
        text: what it said.
        secrets: what it was sent, and so may have quoted.
    """
    line = " ".join(text.split())
    for secret in filter(None, secrets):
        line = line.replace(secret, "[redacted]")
    return shortened(_SECRETS.sub(lambda found: found[0] if _is_name(found[0]) else "[redacted]", line))


def shortened(line: str, longest: int = LONGEST) -> str:
    """A long line without its middle: servers say first what they did, and last why not."""
    if len(line) <= longest:
        return line
    head = longest // 3
    return f"{line[:head].rstrip()} … {line[head + 3 - longest :].lstrip()}"


def _is_name(run: str) -> bool:
    """Whether a long run of letters is made of words: a UUID, the name of a pod, an identifier."""
    if run.startswith(("eyJ", "ya29.", "-----")):
        return False
    parts = re.split(r"[-_=+]+", run)
    if run == run.lower() and len(parts) > 1:
        return all(len(part) < _LONGEST_WORD for part in parts)
    return bool(re.fullmatch(r"(?:[A-Z]?[a-z]{1,20}){2,}", run)) and run != run.lower()
