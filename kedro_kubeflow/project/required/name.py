"""A package's name and extras, out of the text of one requirement.

https://packaging.python.org/en/latest/specifications/dependency-specifiers/
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

Named: TypeAlias = tuple[str, frozenset[str]]
"""A package, in its normal form, and its extras."""

_NAME = r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)"
# What tools of their own forms write: conda's `name=1.0`, poetry's `name^1.0`.
_BEGIN = re.compile(rf"{_NAME}\s*(?:\[([^\]]*)\])?\s*(?=[~^=<>!;@(])")
_EGG = re.compile(rf"[#&]egg={_NAME}(?:\[([^\]]*)\])?")
# What is found at an address: a wheel, a source archive, a repository, a folder.
_AT = re.compile(rf"{_NAME}-\d[^/]*\.(?:whl|zip|tar\.gz)$")
_LAST = re.compile(rf"{_NAME}$")


def normal(name: str) -> str:
    """A package's name as the index compares it."""
    return canonicalize_name(name)


def named(text: str) -> Named | None:
    """What a requirement asks for; None where the text is none.

    >>> named("Kedro_MLflow[x] >= 2 ; python_version > '3'")
    ('kedro-mlflow', frozenset({'x'}))
    """
    try:
        found = Requirement(text)
    except InvalidRequirement:
        begin = _BEGIN.match(text.strip())
        return of(begin[1], _split(begin[2])) if begin else _at_address(text.strip())
    return of(found.name, found.extras)


def of(name: str, extras: Iterable[str] = ()) -> Named:
    """A package by any spelling of its name and extras."""
    return normal(name), frozenset(normal(extra) for extra in extras)


def _split(extras: str | None) -> list[str]:
    """What stands between brackets."""
    return [word.strip() for word in (extras or "").split(",") if word.strip()]


def _at_address(text: str) -> Named | None:
    """What lies at an address, as far as the address says so."""
    if " " in text or not any(mark in text for mark in ("/", "\\", ".whl")):
        return None
    if egg := _EGG.search(text):
        return of(egg[1], _split(egg[2]))
    path, _, extras = unquote(text).replace("\\", "/").split("#")[0].partition("[")
    server, remote, rest = path.partition("://")
    # A branch or a version may stand behind the address of a repository.
    place = rest.partition("/")[2].partition("@")[0] if remote else server
    last = place.rstrip("/").rpartition("/")[2].removesuffix(".git")
    match = _AT.match(last) or (_LAST.match(last) if remote else None)
    return of(match[1], _split(extras.rstrip("]"))) if match else None


def text_of(file: Path) -> str:
    """A file's text, whichever of the usual encodings it has."""
    content = file.read_bytes()
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return content.decode("utf-16" if wide else "utf-8-sig", errors="replace")
