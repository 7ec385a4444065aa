"""Names by Vertex AI's rules (https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.pipelineJobs)."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timezone

MAX_DISPLAY_NAME = 128
MAX_LABEL = 63

# The labels that the plugin gives to jobs. There may be 64 of a job, of which the configuration has 56.
PROJECT, PIPELINE, ENV, SCHEDULE, DIGEST = (
    "kedro-project",
    "kedro-pipeline",
    "kedro-env",
    "kedro-schedule",
    "kedro-digest",
)


def job_id(pipeline: str, *, now: datetime | None = None, mark: str | None = None) -> str:
    """The id of a new job, ``[a-z][-a-z0-9]{0,127}``: nobody has it yet, also where two are made in one second.

    Args:
        pipeline: a KFP pipeline name: lowercase letters, digits and dashes, at most 57.

    >>> job_id("2-models", now=datetime(2026, 3, 1, 12, 30), mark="c0de")
    'run-2-models-20260301123000-c0de'
    """
    moment = now or datetime.now(timezone.utc)
    letter_first = pipeline if pipeline[:1].isalpha() else f"run-{pipeline}"
    return f"{letter_first}-{moment:%Y%m%d%H%M%S}-{mark or secrets.token_hex(3)}"


def display_name(text: str) -> str:
    """A name as people see it: any text, at most 128 bytes."""
    line = " ".join(text.split())
    return line.encode()[:MAX_DISPLAY_NAME].decode("utf-8", "ignore")


def label_value(text: str) -> str:
    """A label's value for any text: what does not fit is replaced, and marked with a digest so that two texts stay two.

    >>> label_value("data_science"), label_value("Space Flights")
    ('data_science', 'space-flights-03d180d6')
    """
    plain = re.sub(r"[^a-z0-9_-]+", "-", text.lower())
    if plain == text and len(text) <= MAX_LABEL:
        return text
    digits = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain[: MAX_LABEL - 9].strip('-')}-{digits}"
