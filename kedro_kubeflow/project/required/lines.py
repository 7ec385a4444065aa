"""Requirements as pip reads them, a line each.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from kedro_kubeflow.project.required.name import Named, named, text_of

_COMMENT = re.compile(r"(^|\s)#.*$")
_INCLUDE = re.compile(r"(?:-r|--requirement)[ =]?\s*(\S+)")
_CONSTRAINT = re.compile(r"(?:-c|--constraint)[ =]?\s*(\S+)")
_EDITABLE = re.compile(r"(?:-e|--editable)[ =]?\s*(.+)")
# Options of one requirement, such as its hashes.
_OPTIONS = re.compile(r"\s--?[a-z].*$")


def of_requirements(file: Path, seen: frozenset[Path] = frozenset()) -> Iterator[Named]:
    """What a file of requirements names, and the files that it includes."""
    if file in seen or not file.is_file():
        return
    for line in _lines(file):
        yield from of_line(line, file.parent, seen | {file})


def of_line(line: str, folder: Path, seen: frozenset[Path] = frozenset()) -> Iterator[Named]:
    """What one line names."""
    if include := _INCLUDE.match(line):
        if "://" not in include[1]:
            yield from of_requirements((folder / include[1]).resolve(), seen)
        return
    editable = _EDITABLE.match(line)
    if line.startswith("-") and not editable:
        return
    found = named(_OPTIONS.sub("", editable[1] if editable else line))
    if found:
        yield found


def constraints_of(file: Path) -> Iterator[Path]:
    """The files that a file of requirements takes versions from and nothing else."""
    if file.suffix in (".txt", ".in"):
        for match in filter(None, map(_CONSTRAINT.match, _lines(file))):
            if "://" not in match[1]:
                yield file.parent / match[1]


def _lines(file: Path) -> Iterator[str]:
    """Whole lines, without comments."""
    text = text_of(file).replace("\r\n", "\n").replace("\\\n", " ")
    return (stripped for line in text.splitlines() if (stripped := _COMMENT.sub("", line).strip()))
