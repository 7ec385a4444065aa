"""``${…}`` in a configuration's text, as far as it is told without working it out.

https://omegaconf.readthedocs.io/en/latest/grammar.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

# Backslashes before it: an odd number of them makes it text.
_BEGIN = re.compile(r"(\\*)\$\{")
_REQUEST = re.compile(r"\$\{\s*runtime_params\s*:\s*([\w.-]+)")
_VARIABLE = re.compile(r"\$\{\s*oc\.env\s*:\s*([A-Za-z_]\w*)\s*\}")
# What stands for another value: ``${a.b}``, ``${.b}``, ``${a[b]}``; and what is followed by a colon is a resolver's name.
_REFERENCE = re.compile(r"\$\{\s*(\.*)([^\s:${}\[\]]*)\s*(:?)")
_BY_NAME = re.compile(r"oc\.(?:select|dict\.keys|dict\.values)\s*:\s*([^\s,:${}\[\]]+)")
_COMPUTED = re.compile(r"\$\{[^:{}$]*\$\{")

ANY = "*"
"""Among what a text refers to: a name that is itself worked out."""


def is_in(text: str) -> bool:
    """Whether there may be any in a text."""
    return "${" in text


def requests_in(text: str) -> list[str]:
    """The run-time parameters that are asked for: ``${runtime_params:NAME…}``."""
    return _REQUEST.findall(text)


def variables_in(text: str) -> list[str]:
    """The environment variables that must be set: ``${oc.env:NAME}``, without a default."""
    return _VARIABLE.findall(text)


def references_in(text: str) -> Iterator[str]:
    """The top-level names that are referred to; of relative ones, which lead here as a rule, every part."""
    for dots, path, colon in _REFERENCE.findall(text):
        if path and not colon:
            yield from path.split(".") if dots else path.split(".")[:1]
    yield from (path.split(".")[0] for path in _BY_NAME.findall(text))
    if _COMPUTED.search(text):
        yield ANY


def literal(value: Any) -> Any:
    """A value that is worked out already, so that nothing in its text is taken for an interpolation."""
    return _in_texts(value, lambda text: _BEGIN.sub(lambda found: found[1] * 2 + r"\${", text))


def worked_out(value: Any, refuse: Callable[[str], Exception]) -> Any:
    """A value as it is read where nothing can be looked up.

    Args:
        refuse: gives the error for a text that refers to something.
    """

    def plain(found: re.Match[str]) -> str:
        backslashes = len(found[1])
        if backslashes % 2 == 0:
            raise refuse(found.string)
        return "\\" * (backslashes // 2) + "${"

    return _in_texts(value, lambda text: _BEGIN.sub(plain, text))


def _in_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _in_texts(item, change) for key, item in value.items()}
    return [_in_texts(item, change) for item in value] if isinstance(value, list) else value
