"""Some of the hooks of a class of hooks: those that hear of a whole run, or the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OF_A_RUN = ("before_pipeline_run", "after_pipeline_run", "on_pipeline_error")


class Part:
    """Some hooks of a plugin's, as a plugin."""

    def __init__(self, hooks: Mapping[str, Any]) -> None:
        vars(self).update(hooks)


def without_run_hooks(hooks: Any) -> Any:
    """The same hooks but for those that hear of a whole run."""
    from kedro.framework.hooks.markers import HOOK_NAMESPACE

    marked = {name: getattr(hooks, name) for name in dir(hooks) if is_marked(hooks, name, HOOK_NAMESPACE)}
    return Part({name: hook for name, hook in marked.items() if name not in OF_A_RUN})


def is_marked(hooks: Any, name: str, namespace: str) -> bool:
    """Whether a function of that name is a hook."""
    return not name.startswith("__") and hasattr(getattr(hooks, name, None), f"{namespace}_impl")
