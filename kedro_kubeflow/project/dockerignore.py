"""What ``.dockerignore`` keeps out of an image (https://docs.docker.com/build/concepts/context/#dockerignore-files)."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

# Where BuildKit looks, the first that is there.
_FILES = ("Dockerfile.dockerignore", ".dockerignore")


@dataclass(frozen=True)
class Rule:
    """One line: a pattern, and whether it takes back what an earlier one said."""

    text: str
    pattern: re.Pattern[str]
    excludes: bool


@dataclass(frozen=True)
class DockerIgnore:
    """The rules of one file; none where there is no file."""

    name: str = ""
    rules: tuple[Rule, ...] = ()

    @classmethod
    def read(cls, context: Path) -> DockerIgnore:
        """The file that a build in this folder would take."""
        file = next((context / name for name in _FILES if (context / name).is_file()), None)
        return cls.parse(file.read_text("utf-8", errors="replace"), file.name) if file else cls()

    @classmethod
    def parse(cls, text: str, name: str = ".dockerignore") -> DockerIgnore:
        """The rules in a file's text."""
        lines = (line.strip() for line in text.lstrip("\ufeff").splitlines() if not line.startswith("#"))
        return cls(name, tuple(_rule(line) for line in lines if line.strip("!/ ")))

    def excludes(self, path: str) -> Rule | None:
        """The rule that keeps a path, relative to the folder, out of the image; the last that fits it or its parents."""
        clean = posixpath.normpath(path)
        parts = clean.split("/")
        candidates = ["/".join(parts[: i + 1]) for i in range(len(parts))]
        last: Rule | None = None
        for rule in self.rules:
            if any(rule.pattern.fullmatch(candidate) for candidate in candidates):
                last = rule
        return last if last and last.excludes else None


def _rule(line: str) -> Rule:
    pattern = line.removeprefix("!").strip().lstrip("/")
    return Rule(line, re.compile(_expression(posixpath.normpath(pattern))), not line.startswith("!"))


def _expression(pattern: str) -> str:
    """Go's path patterns, and ``**`` for any number of folders."""
    found = ""
    for part in re.findall(r"\*\*/|\*\*|\*|\?|\[\^?[^\]]+\]|\\.|.", pattern):
        if part == "**/":
            found += "(?:.*/)?"
        elif part == "**":
            found += ".*"
        elif part in "*?":
            found += {"*": "[^/]*", "?": "[^/]"}[part]
        elif part.startswith("[") and len(part) > 1:
            found += part
        else:
            found += re.escape(part[-1])
    return found
