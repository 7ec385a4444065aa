"""What is known of parameters before a step runs: what names of runs may be made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro_kubeflow.project.resolvers import RUNTIME_PARAMS, Marked, kept_in_conf


def with_marks(marked: Marked, values: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters with a mark in place of what a resolver gives when a step runs.

    Args:
        marked: the configuration, read with what the caller gave.
        values: the parameters as they are read here, with the same.
    """
    own = marked.sections.get("parameters") or {}
    kept = {key for key, names in kept_in_conf(marked).items() if set(names) - {RUNTIME_PARAMS}}
    return {**values, **{key: own[key] for key in kept}}
