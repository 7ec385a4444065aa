"""What runs that only carry code are called: they are nobody's runs of a pipeline, and are known among these by their names."""

from __future__ import annotations

import re


def carrier_name(digest: str, number: int, total: int) -> str:
    """The name of the run that carries one portion; numbers begin with 1."""
    return f"code {digest[:16]} {number}/{total}"


def is_carrier(name: str) -> bool:
    """Whether a run is called as one that carries code.

    >>> is_carrier(carrier_name("ab" * 32, 1, 3)), is_carrier("code review")
    (True, False)
    """
    return re.fullmatch(r"code [0-9a-f]{16} \d+/\d+", name) is not None
