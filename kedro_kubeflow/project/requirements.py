"""The files that say what a project needs installed, and their digests: the image is built from these."""

from __future__ import annotations

import hashlib
from pathlib import Path

_LOCKED = ("uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock", "requirements.lock")
_NAMES = ("requirements.txt", *_LOCKED, "setup.py", "setup.cfg")
_PLACES = ("", "src/")


def requirement_files(project: Path) -> list[str]:
    """Those that are there, relative to the project; ``pyproject.toml`` where it names dependencies."""
    found = [f"{place}{name}" for place in _PLACES for name in _NAMES if (project / place / name).is_file()]
    return [*found, "pyproject.toml"] if _has_dependencies(project / "pyproject.toml") else found


def requirement_digests(project: Path) -> dict[str, str]:
    """SHA-256 of each of those files, as hexadecimal text, by name; line ends and trailing blanks aside."""
    return {name: _digest(project / name) for name in requirement_files(project)}


def _digest(file: Path) -> str:
    lines = file.read_text("utf-8", errors="replace").splitlines()
    return hashlib.sha256("\n".join(line.rstrip() for line in lines).encode()).hexdigest()


def _has_dependencies(file: Path) -> bool:
    return file.is_file() and "dependencies" in file.read_text("utf-8", errors="replace")
