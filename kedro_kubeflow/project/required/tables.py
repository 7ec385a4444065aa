"""Requirements in TOML: pyproject.toml in the forms of its many tools, Pipfile, pixi.toml.

https://packaging.python.org/en/latest/specifications/pyproject-toml/
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kedro_kubeflow.project.required.lines import of_requirements
from kedro_kubeflow.project.required.name import Named, named, normal, text_of

# `dependencies`, `dev-dependencies`, `pypi-dependencies`, `dependency-groups`.
_KEY = re.compile(r"((?!constraint|override)[a-z-]+-)?dependencies|dependency-groups")
_PIPFILE = ("packages", "dev-packages")


def of_toml(file: Path) -> Iterator[Named]:
    """What a TOML file names as required, in whichever of its tables."""
    said = read_toml(file)
    if file.name == "Pipfile":
        said = {f"{key}-dependencies": said.get(key) or {} for key in _PIPFILE}
    yield from _walked(said, file.parent)


def _walked(table: Mapping[str, Any], folder: Path) -> Iterator[Named]:
    for key, value in table.items():
        if _KEY.fullmatch(key):
            yield from _named(value, folder)
        elif isinstance(value, Mapping):
            yield from _walked(value, folder)


def _named(value: Any, folder: Path) -> Iterator[Named]:
    """Of a list of requirements; of groups of them; of a table package → version; of files that list them."""
    if isinstance(value, str):
        yield from filter(None, (named(value),))
    elif isinstance(value, list):
        for item in value:
            yield from _named(item, folder) if isinstance(item, str) else ()
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key in ("file", "files"):
                for name in [item] if isinstance(item, str) else item:
                    yield from of_requirements((folder / str(name)).resolve())
            elif _is_group(item):
                yield from _named(item, folder)
            else:
                yield normal(key), _extras(item)


def _is_group(item: Any) -> bool:
    """Whether it is a list of requirements, or names files of them; else it is a version, as some tools write it."""
    if isinstance(item, list):
        return not item or any(isinstance(one, str) or "include-group" in one for one in item)
    return isinstance(item, Mapping) and "file" in item


def _extras(value: Any) -> frozenset[str]:
    """Of a version alone, of a table, or of several tables for several platforms."""
    tables = value if isinstance(value, list) else [value]
    return frozenset(normal(str(e)) for one in tables if isinstance(one, Mapping) for e in one.get("extras") or ())


def read_toml(file: Path) -> dict[str, Any]:
    """What a TOML file says; nothing where it is not there, or is none."""
    if not file.is_file():
        return {}
    # Before Python 3.11, Kedro brings the library that became part of it.
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        return dict(toml.loads(text_of(file)))
    except ValueError:
        return {}  # Kedro itself has read what it needs of it.
