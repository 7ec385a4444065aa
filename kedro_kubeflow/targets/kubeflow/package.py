"""What the client needs of a compiled pipeline; the compiler's value fits, and so does any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import yaml


class Package(Protocol):
    """A compiled pipeline; its ``str()`` is its YAML."""

    @property
    def name(self) -> str:
        """A DNS-1123 name: KFP's Kubernetes-native store takes no other."""
        ...

    @property
    def display_name(self) -> str:
        """What people see."""
        ...

    @property
    def description(self) -> str:
        """What it is for."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the YAML, in hex."""
        ...

    @property
    def tags(self) -> Mapping[str, str]:
        """Project, environment and the like."""
        ...


def spec_of(text: str) -> dict[str, Any]:
    """The pipeline spec as the runs API wants it inline: the IR, with its platform half beside it where there is one."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = [document for document in yaml.load_all(text, Loader=loader) if document]
    if len(documents) == 1:
        return dict(documents[0])
    return {"pipeline_spec": documents[0], "platform_spec": documents[1]}
