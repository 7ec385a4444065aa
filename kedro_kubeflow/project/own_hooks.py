"""The hooks that the project itself registers in settings.py."""

from __future__ import annotations


def has_hook(specification: str) -> bool:
    """Whether one of them implements a hook of Kedro's, such as ``after_catalog_created``."""
    from kedro.framework.project import settings

    return any(hasattr(hook, specification) for hook in settings.HOOKS)
