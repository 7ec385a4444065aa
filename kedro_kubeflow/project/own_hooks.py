"""The hooks that the project itself registers in settings.py."""

from __future__ import annotations


def has_hook(specification: str) -> bool:
    """Whether one of them implements a hook of Kedro's, such as ``after_catalog_created``."""
    from kedro.framework.hooks.markers import HOOK_NAMESPACE
    from kedro.framework.project import settings

    # What pluggy's marker leaves on a function.
    return any(hasattr(getattr(hook, specification, None), f"{HOOK_NAMESPACE}_impl") for hook in settings.HOOKS)
