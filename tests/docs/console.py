"""What a page of the documentation tells its reader to type, write and see.

A page is read from top to bottom. Fenced blocks of the language ``console`` hold commands, after ``$ ``, and what they
print. A comment right above a block says what is special about it::

    <!-- needs: a container engine -->   nobody runs it here
    <!-- typed: docs/other.md -->        typed on another page, and not here once more
    <!-- exits: 2 -->                    the exit code of its last command, or of each, as in 2, 0
    <!-- file: conf/base/x.yml -->       the block below, of any language, is written to that file
    <!-- merge: conf/base/x.yml -->      the YAML below is merged into that file
    <!-- server: fails in STEP -->       what becomes of the next run on the stand-in server
    <!-- fresh project -->               from here on, the quickstart project as it was made

In shown output ``…`` stands for anything: alone on its line for lines, within a line for a part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_FENCE = re.compile(r"^(?P<mark>`{3,}|:{3,})\s*(?P<language>[^\s`]*)")
_COMMENT = re.compile(r"^<!-- (?P<key>[a-z ]+?)(?:: (?P<value>.*?))? -->$")
KEYS = {"needs", "typed", "exits", "file", "merge", "server", "fresh project"}


@dataclass(frozen=True)
class Command:
    """One command and what is shown of its output; None where nothing is."""

    text: str
    shown: tuple[str, ...] | None


@dataclass(frozen=True)
class Block:
    """A fenced block, and the comments above it."""

    page: Path
    line: int
    language: str
    text: str
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def commands(self) -> list[Command]:
        """The commands of a console block."""
        found: list[tuple[str, list[str]]] = []
        continued = False
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif continued and found:
                found[-1] = (found[-1][0] + "\n" + line.removeprefix("> "), [])
            elif found:
                found[-1][1].append(line.rstrip())
            continued = line.endswith("\\") and not (found and found[-1][1])
        return [Command(text, tuple(shown) or None) for text, shown in found]

    @property
    def is_typed(self) -> bool:
        """Whether its commands are run where it stands."""
        return self.language == "console" and not {"needs", "typed"} & set(self.marks)

    @property
    def exit_codes(self) -> list[int]:
        """The exit code of each command."""
        given = [int(code) for code in self.marks.get("exits", "0").split(",")]
        return [0] * (len(self.commands) - len(given)) + given

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page, and a block of no language for each comment that stands alone."""
    marks: dict[str, str] = {}
    lines = iter(enumerate(page.read_text("utf-8").splitlines(), 1))
    for number, line in lines:
        if comment := _COMMENT.match(line.strip()):
            key, value = comment["key"], comment["value"] or ""
            if key == "fresh project":
                yield Block(page, number, "", "", {key: value})
            elif key in KEYS:
                marks[key] = value
        elif fence := _FENCE.match(line.strip()):
            indent = len(line) - len(line.lstrip())
            inside = []
            for _, text in lines:
                if text.strip() == fence["mark"]:
                    break
                inside.append(text[indent:])
            yield Block(page, number, fence["language"], "\n".join(_without_options(inside)), marks)
            marks = {}
        elif line.strip():
            assert not marks, f"{page}:{number}: a comment with {sorted(marks)} stands above no block"


def _without_options(lines: list[str]) -> list[str]:
    """A directive's own options (``:caption: …``) are not its content."""
    rest = list(lines)
    while rest and re.match(r"^:[a-z-]+:", rest[0]):
        del rest[0]
    return rest[1:] if rest != lines and rest and not rest[0] else rest


# What differs from run to run, on either side of a comparison.
_VARIES = [
    (r"\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d{6}", "MOMENT"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?", "MOMENT"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\b\d+\.\d s\b", "SECONDS"),
    (r"[ \t]+", " "),
    (r"[─━]+", "─"),
]
# What differs too, and may be named again: ids of runs on this machine, of MLflow runs, of anything on the server.
_KINDS = (r"local-\d{8}-\d{6}-[0-9a-f]{6}", r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", r"[0-9a-f]{32}")
_ID = re.compile(rf"\b(?:{'|'.join(_KINDS)})\b")
_KEDRO_LOG = re.compile(r"^\[\d\d/\d\d/\d\d \d\d:\d\d:\d\d\] |^ {20,}")
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def printed(text: str) -> list[str]:
    """The lines that a command printed, without colours and without Kedro's own log, which is the same each time."""
    return [line.rstrip() for line in _COLOUR.sub("", text).splitlines() if not _KEDRO_LOG.match(line)]


def matches(shown: tuple[str, ...], real: list[str], known: dict[str, str] | None = None) -> bool:
    """Whether what a page shows is what was printed.

    Args:
        known: the real id for each that the page has shown so far; those that are new here are added.
    """
    ids: dict[str, str] = {} if known is None else known
    new: dict[str, str] = {}
    pattern = "".join(_line_pattern(line, ids, new) for line in _trimmed(list(shown)))
    found = re.fullmatch(pattern, "".join(f"{_settled(line)}\n" for line in _trimmed(real)))
    if found:
        ids.update({name: found[group] for name, group in new.items()})
    return found is not None


def _line_pattern(line: str, known: dict[str, str], new: dict[str, str]) -> str:
    if line.strip() == "…":
        return r"(?:.*\n)*?"
    text, last = "", 0
    settled = _settled(line)
    for found in _ID.finditer(settled):
        text += _text_pattern(settled[last : found.start()]) + _id_pattern(found[0], known, new)
        last = found.end()
    return text + _text_pattern(settled[last:]) + r"\n"


def _text_pattern(text: str) -> str:
    return ".*?".join(re.escape(part) for part in text.split("…"))


def _id_pattern(shown: str, known: dict[str, str], new: dict[str, str]) -> str:
    """An id: the very one that it stands for where that is known, else any of its kind."""
    if shown in known:
        return re.escape(known[shown])
    if shown in new:
        return f"(?P={new[shown]})"
    new[shown] = f"id{len(new)}"
    return f"(?P<{new[shown]}>{next(kind for kind in _KINDS if re.fullmatch(kind, shown))})"


def _settled(line: str) -> str:
    for pattern, name in _VARIES:
        line = re.sub(pattern, name, line)
    return line.strip()


def _trimmed(lines: list[str]) -> list[str]:
    """Without empty lines at either end."""
    text = [line.rstrip() for line in lines]
    while text and not text[0].strip():
        del text[0]
    while text and not text[-1].strip():
        del text[-1]
    return text
