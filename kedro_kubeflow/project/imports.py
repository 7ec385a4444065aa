"""Modules of pipelines that do not import: Kedro's ``find_pipelines`` warns, and goes on without them."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_SAID = re.compile(r"An error occurred while importing the '(?P<module>[^']+)' module")
_NO_PIPELINE = re.compile(
    r"Expected the 'create_pipeline' function in the '(?P<module>[^']+)' module "
    r"to return a 'Pipeline' object, got '(?P<kind>[^']+)'"
)
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')


@dataclass(frozen=True)
class ImportFailure:
    """A module that does not import.

    Attributes:
        reason: the kind of error and what it says.
        where: file and line of the project's own that the error came through.
    """

    module: str
    reason: str
    where: str | None
    imports: bool = False
    """Whether it does import, and its ``create_pipeline`` gives something else than a pipeline."""

    @property
    def said(self) -> str:
        """A sentence's beginning: what is the matter with the module."""
        return f"{self.module} {'gives no pipeline' if self.imports else 'does not import'}"

    @property
    def pipeline(self) -> str:
        """The pipeline that Kedro would have made of it."""
        return self.module.rpartition(".")[2]


# Kedro imports a project's pipelines once a process, and says what fails once.
_FAILED: dict[str, ImportFailure] = {}


def import_failures() -> tuple[ImportFailure, ...]:
    """What has not been imported so far."""
    return tuple(_FAILED[module] for module in sorted(_FAILED))


@contextmanager
def noting_import_failures() -> Iterator[None]:
    """Take note of what fails while the block imports pipelines; it is warned of all the same."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            said = list(heard)
    for warning in said:
        _note(str(warning.message))
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)


def _note(text: str) -> None:
    if odd := _NO_PIPELINE.search(text):
        reason = f"its `create_pipeline` returns {odd['kind']!r} and not a Pipeline"
        _FAILED[odd["module"]] = ImportFailure(odd["module"], reason, None, imports=True)
    match = _SAID.search(text)
    if not match:
        return
    lines = [line for line in text.strip().splitlines() if line.strip()]
    frames = [m for m in map(_FRAME.search, lines) if m]
    own = [m for m in frames if "site-packages" not in m["file"] and not m["file"].startswith("<")]
    where = f"{own[-1]['file']}, line {own[-1]['line']}" if own else None
    _FAILED[match["module"]] = ImportFailure(match["module"], lines[-1].strip(), where)
