"""Text that a database may not have the characters for.

Kubeflow's API server starts a run, and a schedule, before it writes it down. Where its database keeps text as Latin-1, or as
UTF-8 of three bytes, what lies beyond is refused then: the run goes on and is in no list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_REFUSED = re.compile(
    r"incorrect string value|illegal mix of collations|character set|error 1366|code.?point", re.IGNORECASE
)


def is_refusal(words: str) -> bool:
    """Whether the server says that its database does not take a text."""
    return _REFUSED.search(words) is not None


def beyond_latin(**texts: Any) -> list[str]:
    """The names of the values that hold characters beyond Latin-1, at any depth.

    >>> beyond_latin(name="café", greeting="hello 😀", items=["Дa"])
    ['greeting', 'items']
    """
    return [name for name, value in texts.items() if any(ord(max(text)) > 0xFF for text in _texts(value) if text)]


def in_spec(spec: Mapping[str, Any], parameters: Mapping[str, Any], name: str = "") -> list[str]:
    """What of a run holds such characters, as people call it.

    Args:
        parameters: the inputs that it is given, by KFP name; the spec's own defaults stand in the spec.
    """
    ir = spec.get("pipeline_spec", spec)
    declared = ir.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    defaults = {key: definition.get("defaultValue") for key, definition in declared.items()}
    found = [f"the parameter {key!r}" for key in beyond_latin(**{**defaults, **parameters})]
    rest = {**ir, "root": {k: v for k, v in ir.get("root", {}).items() if k != "inputDefinitions"}}
    found += [f"the name {name!r}"] if beyond_latin(name=name) else []
    return found + (["names of nodes or settings in the pipeline itself"] if beyond_latin(spec=rest) else [])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
