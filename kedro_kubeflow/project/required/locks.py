"""The packages that a lock file holds: read by patterns, as such files are long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from kedro_kubeflow.project.required.name import Named, of, text_of

_PACKAGE = re.compile(r"(?m)^\[\[packages?\]\][ \t]*$")
_NAME = re.compile(r"(?m)^name[ \t]*=[ \t]*[\"']([^\"']+)[\"']")
# The project itself is a package of its lock, too.
_OWN = re.compile(
    r"(?m)^(?:source|directory)[ \t]*=[ \t]*\{[^}]*\b(?:editable|virtual|directory|path)[ \t]*=[ \t]*[\"']\.[\"']"
)
_IN_JSON = re.compile(r"(?m)\"([A-Za-z0-9][A-Za-z0-9._-]*)\"[ \t]*:[ \t]*\{")
_IN_YAML = re.compile(r"(?m)^[ \t]*(?:-[ \t]+)?name:[ \t]*[\"']?([A-Za-z0-9][A-Za-z0-9._-]*)")


def of_lock(file: Path) -> Iterator[Named]:
    """What it holds; extras are packages of their own there."""
    text = text_of(file)
    if _PACKAGE.search(text):
        for package in _PACKAGE.split(text)[1:]:
            found = _NAME.search(package)
            if found and not _OWN.search(package):
                yield of(found[1])
        return
    for match in (_IN_JSON if text.lstrip().startswith("{") else _IN_YAML).finditer(text):
        yield of(match[1])
