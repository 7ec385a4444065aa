"""The files that say what a project needs installed, and their digests: the image is built from these."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kedro_kubeflow.project.required import read_toml

_LOCKED = ("uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock", "requirements.lock")
_NAMES = ("requirements.txt", *_LOCKED, "setup.py", "setup.cfg")
_PLACES = ("", "src/")
_NAMES_FILE = re.compile(r"(?m)^\s*(?:-r|--requirement|-c|--constraint)[ =]?\s*(\S+)")


def requirement_files(project: Path) -> list[str]:
    """Those that are there, relative to the project; ``pyproject.toml`` where it names dependencies."""
    found = [f"{place}{name}" for place in _PLACES for name in _NAMES if (project / place / name).is_file()]
    found += [name for one in found if one.endswith(".txt") for name in named_in(project, one)[0] if name not in found]
    return [*found, "pyproject.toml"] if _has_dependencies(project / "pyproject.toml") else found


def named_in(project: Path, source: str) -> tuple[list[str], list[str]]:
    """The files that a file of requirements names with ``-r`` and ``-c``, and those that these name; and what is not there.

    https://pip.pypa.io/en/stable/reference/requirements-file-format/
    """
    found: list[str] = []
    missing: list[str] = []
    waiting, root = [source], project.resolve()
    while waiting:
        here = waiting.pop()
        for named in _NAMES_FILE.findall((project / here).read_text("utf-8", errors="replace")):
            path = ((project / here).parent / named).resolve()
            if "://" in named:
                continue
            if not path.is_file() or not path.is_relative_to(root):
                missing.append(f"{here}: {named}")
            elif (name := path.relative_to(root).as_posix()) not in (source, *found):
                found.append(name)
                waiting.append(name)
    return found, missing


def requirement_digests(project: Path) -> dict[str, str]:
    """SHA-256 of each of those files, as hexadecimal text, by name; line ends and trailing blanks aside.

    Of ``pyproject.toml`` what it says of requirements counts, and no other tool's settings.
    """
    return {name: _digest(project / name) for name in requirement_files(project)}


def _digest(file: Path) -> str:
    if file.name == "pyproject.toml":
        text = json.dumps(list(_required(read_toml(file))), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()
    lines = file.read_text("utf-8", errors="replace").splitlines()
    return hashlib.sha256("\n".join(line.rstrip() for line in lines).encode()).hexdigest()


def _required(said: Mapping[str, Any]) -> Iterator[Any]:
    """Where a pyproject.toml says what is required (https://packaging.python.org/en/latest/specifications/pyproject-toml/)."""
    project, tool = said.get("project") or {}, said.get("tool") or {}
    yield [project.get(key) for key in ("requires-python", "dependencies", "optional-dependencies", "dynamic")]
    yield [said.get(key) for key in ("build-system", "dependency-groups")]
    yield [tool.get(name) for name in ("uv", "poetry", "pdm", "hatch", "setuptools")]


def _has_dependencies(file: Path) -> bool:
    return file.is_file() and "dependencies" in file.read_text("utf-8", errors="replace")
