"""Texts that people will read on the MLflow run or in an error, without the secrets that they may hold.

An exception's message is whatever the code that raised it has put in: a database address with its password, a request with its
header. Only what looks like a secret goes; names of datasets, paths and ids stay readable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

GONE = "[redacted]"

_PATTERNS = [
    # The user and password of an address.
    (re.compile(r"(?<=://)[^/\s?#'\"]*@"), f"{GONE}@"),
    # A header, whatever its scheme.
    (re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?)(?:\w+\s+)?[^\s'\",;]+"), rf"\1{GONE}"),
    # A scheme and a token: something that is no plain word.
    (re.compile(r"(?i:\b(bearer|basic))\s+(?=\S*(?:[0-9=+/_]|[a-z][A-Z]))[\w.~+/=-]{8,}"), rf"\1 {GONE}"),
    # password=…, "api_key": "…"
    (
        re.compile(
            # From a word's start on, or a long word would be gone through from each of its letters.
            r"(?i)(?<![\w-])([\w-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|credential|(?:api|access|account|private)[_-]?key)s?"
            r"['\"]?\s*[:=]\s*['\"]?)(?!\[)[^\s'\",;&)]+"
        ),
        rf"\1{GONE}",
    ),
    # Tokens and keys that are known by their looks.
    (re.compile(r"eyJ[\w-]+(?:\.[\w-]*)*|ya29\.[\w.-]+|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}"), GONE),
    (re.compile(r"\bsk-[\w-]{16,}|\bxox[abpr]-[\w-]{10,}|-----BEGIN[^-]*-----[^-]*(?:-----END[^-]*-----)?"), GONE),
]
_SECRET_NAME = re.compile(r"(?i)passw|passphrase|secret|token|credential|(api|access|account|private)_?key")
_SHORTEST = 6


def redacted(text: str) -> str:
    """A text without what looks like a secret, and without the value of any environment variable that is called like one.

    >>> redacted("cannot reach https://ann:hunter2@db.example.com/x")
    'cannot reach https://[redacted]@db.example.com/x'
    >>> redacted("Authorization: Bearer abc123def456")
    'Authorization: [redacted]'
    """
    for secret in _secrets_of_the_environment():
        text = text.replace(secret, GONE)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _secrets_of_the_environment() -> Iterator[str]:
    for name, value in os.environ.items():
        # A path to a secret is none.
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST and not value.startswith(("/", "./")):
            yield value
