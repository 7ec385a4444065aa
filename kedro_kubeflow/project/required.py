"""What a project's requirements name: packages, and the extras that are asked for with them."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

_LISTS = ("requirements*.txt", "requirements*.in", "src/requirements*.txt", "src/requirements*.in", "environment*.y*ml")
_LOCKS = ("uv.lock", "pylock*.toml", "poetry.lock", "Pipfile.lock", "requirements*.lock")
_CODE = ("setup.py", "setup.cfg", "src/setup.py", "src/setup.cfg")
# A requirement at the beginning of a line or in quotes: its name, and its extras.
_REQUIREMENT = r"([A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*(?:\[([^\]\n]*)\])?[ \t]*(?=$|[\s~=<>!;@,'\"#])"
_IN_LIST = re.compile(rf"(?m)^[ \t]*(?:-[ \t]+)?{_REQUIREMENT}")
_IN_CODE = re.compile(rf"(?m)(?:['\"]|^[ \t]+){_REQUIREMENT}")
_IN_LOCK = re.compile(r"(?m)^[ \t]*(?:name[ \t]*=[ \t]*)?\"([A-Za-z0-9._-]+)\"(?:[ \t]*:[ \t]*\{|[ \t]*$)")


def required(project: Path) -> tuple[dict[str, frozenset[str]], list[str]]:
    """Package, in its normal form → its extras; and the files that were looked at.

    The project's own name is none of them.
    """
    found: dict[str, frozenset[str]] = {}
    files: list[str] = []
    for file, requirements in _read(project):
        files.append(file.relative_to(project).as_posix())
        for name, extras in requirements:
            key = normal(name)
            found[key] = found.get(key, frozenset()) | {e.strip().lower() for e in extras.split(",") if e.strip()}
    return found, files


def normal(name: str) -> str:
    """A package's name as the index compares it.

    >>> normal("Kedro_MLflow")
    'kedro-mlflow'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(project: Path) -> Iterator[tuple[Path, Iterable[tuple[str, str]]]]:
    for patterns, expression in ((_LISTS, _IN_LIST), (_CODE, _IN_CODE)):
        for file in _files(project, patterns):
            yield file, ((m[1], m[2] or "") for m in expression.finditer(_text(file)))
    for file in _files(project, _LOCKS):
        yield file, ((m[1], "") for m in (*_IN_LOCK.finditer(_text(file)), *_IN_LIST.finditer(_text(file))))
    if (project / "pyproject.toml").is_file():
        yield project / "pyproject.toml", _of_pyproject(project / "pyproject.toml")


def _files(project: Path, patterns: Iterable[str]) -> list[Path]:
    return sorted({file for pattern in patterns for file in project.glob(pattern) if file.is_file()})


def _text(file: Path) -> str:
    return file.read_text("utf-8", errors="replace")


def _of_pyproject(file: Path) -> list[tuple[str, str]]:
    data = read_toml(file)
    project, poetry = data.get("project") or {}, ((data.get("tool") or {}).get("poetry") or {})
    groups = [*(project.get("optional-dependencies") or {}).values(), *(data.get("dependency-groups") or {}).values()]
    texts = [t for some in (project.get("dependencies") or [], *groups) for t in some if isinstance(t, str)]
    matches = [m for m in map(re.compile(_REQUIREMENT).match, texts) if m]
    own = [(name, _extras(value)) for name, value in (poetry.get("dependencies") or {}).items()]
    return [*((m[1], m[2] or "") for m in matches), *own]


def _extras(value: Any) -> str:
    return ",".join(map(str, value.get("extras") or ())) if isinstance(value, Mapping) else ""


def read_toml(file: Path) -> dict[str, Any]:
    """What a TOML file says; nothing where it is not there, or is none."""
    if not file.is_file():
        return {}
    # Before Python 3.11, Kedro brings the library that became part of it.
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        return dict(toml.loads(_text(file)))
    except ValueError:
        return {}  # Kedro itself has read what it needs of it.
