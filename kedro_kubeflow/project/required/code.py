"""Requirements in setup.py and setup.cfg.

https://setuptools.pypa.io/en/latest/userguide/dependency_management.html
"""

from __future__ import annotations

import ast
import configparser
from collections.abc import Iterator
from pathlib import Path

from kedro_kubeflow.project.required.lines import of_line, of_requirements
from kedro_kubeflow.project.required.name import Named, named, text_of

# Texts of a call of `setup` that are no requirement, though they may look like one.
_OTHER = frozenset({"name", "description", "long_description", "keywords", "packages", "py_modules", "url", "author"})


def of_setup_py(file: Path) -> Iterator[Named]:
    """Every text in it that could be a requirement, wherever a list of them is put together."""
    try:
        tree = ast.parse(text_of(file))
    except (SyntaxError, ValueError):
        return
    other = {
        id(text)
        for call in ast.walk(tree)
        for keyword in getattr(call, "keywords", ())
        if keyword.arg in _OTHER
        for text in ast.walk(keyword.value)
    }
    for text in ast.walk(tree):
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and id(text) not in other:
            for line in text.value.splitlines():
                yield from filter(None, (named(line),))


def of_setup_cfg(file: Path) -> Iterator[Named]:
    """``install_requires`` and the extras."""
    said = configparser.ConfigParser(interpolation=None)
    try:
        said.read_string(text_of(file))
    except configparser.Error:
        return
    values = [said.get("options", "install_requires", fallback="")]
    if said.has_section("options.extras_require"):
        values += [value for _, value in said.items("options.extras_require")]
    for value in values:
        if value.startswith("file:"):
            for name in value.removeprefix("file:").split(","):
                yield from of_requirements((file.parent / name.strip()).resolve())
            continue
        for line in value.splitlines():
            yield from of_line(line.partition("#")[0].strip(), file.parent)
