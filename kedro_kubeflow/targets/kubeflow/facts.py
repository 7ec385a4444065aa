"""What is written below a description so that a thing is known again: its spec's digest, the request that made it.

Tags would be the place for it, but only pipelines have them, and only on servers from 2.16 on. Descriptions are stored
by all versions and both stores, and can be read by people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# The description travels in the URL of an upload, and gateways refuse URLs beyond some 8 kB.
LONGEST = 1500
SPEC, SUBMISSION, SCHEDULE = "spec", "submission", "schedule"


def describe(text: str, facts: Mapping[str, str]) -> str:
    """A description with facts below it, a line each."""
    short = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    lines = "\n".join(f"{key}: {' '.join(value.split())}" for key, value in facts.items() if value)
    return f"{short}\n\n{lines}".strip()


def fact(description: str | None, key: str) -> str | None:
    """A fact of a description, or None."""
    found = re.findall(rf"^{re.escape(key)}: (.*)$", description or "", flags=re.MULTILINE)
    return found[-1].strip() if found else None
