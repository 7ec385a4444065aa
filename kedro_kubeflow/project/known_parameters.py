"""What is known of parameters before a step runs: what names of runs may be made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro_kubeflow.config.jobs import over
from kedro_kubeflow.project.resolvers import RUNTIME_PARAMS, Marked, kept_in_conf


def with_marks(marked: Marked, values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with a mark in place of what a resolver gives when a step runs.

    Args:
        values: as they are read here.
        given: what the caller gave, nested; it is known.
    """
    own = marked.sections.get("parameters") or {}
    kept = {key for key, names in kept_in_conf(marked).items() if set(names) - {RUNTIME_PARAMS}}
    return {**values, **over({key: own[key] for key in kept}, {key: given[key] for key in kept & given.keys()})}
