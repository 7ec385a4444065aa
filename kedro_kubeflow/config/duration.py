"""Lengths of time: seconds, or a number with a unit."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LONGEST = 2**31 - 1


def seconds(value: Any) -> Any:
    """The seconds of ``90``, ``"90s"``, ``"5m"``, ``"2h"``, ``"1d"`` or ``"1w"``; units may be written out.

    Raises:
        ValueError: the text is no length of time.
    """
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\d+)\s*(s|m|h|d|w)?(?:ec(?:onds?)?|in(?:utes?)?|ours?|ays?|eeks?)?\s*", value.lower())
    if not match:
        raise ValueError(f"{value!r} is no length of time; write seconds, or a whole number with s, m, h, d or w")
    return int(match.group(1)) * _UNITS[match.group(2) or "s"]


Duration = Annotated[
    int,
    BeforeValidator(seconds),
    Field(ge=0, le=_LONGEST),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": r"^\d+ ?[a-z]*$"}]}),
]
"""Whole seconds."""
