"""Pipelines that a target stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline."""

    id: str
    name: str
    display_name: str
    description: str = ""
    created_at: datetime | None = None
    namespace: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Version:
    """A version of a pipeline."""

    id: str
    pipeline_id: str
    name: str
    display_name: str
    description: str = ""
    created_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """What an upload did.

    Attributes:
        version_id, version: id and name of the version that holds what was uploaded.
        link: what opens it.
    """

    made: Literal["pipeline", "version", "nothing"]
    pipeline_id: str
    pipeline: str
    version_id: str
    version: str
    link: str
