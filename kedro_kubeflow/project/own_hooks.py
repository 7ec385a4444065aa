"""What else than its nodes is the project's own at a run: hooks of its own and of plugins, a session, a context."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from typing import Any

# What a hook is given that all of the parameters can be read from.
_HOLD_PARAMETERS = frozenset({"context", "catalog", "parameters", "run_params"})
# Plugins that are known to look at the parameters of nodes alone.
_KNOWN_PLUGINS = frozenset({"kedro-mlflow", "kedro-kubeflow", "kedro-telemetry", "kedro-viz", "kedro-docker"})
# The classes of settings.py that are given a run's parameters.
_CLASSES = ("SESSION_CLASS", "CONTEXT_CLASS", "CONFIG_LOADER_CLASS")


def has_hook(specification: str) -> bool:
    """Whether one of the hooks in settings.py implements a hook of Kedro's, such as ``after_catalog_created``."""
    from kedro.framework.project import settings

    return any(_is_marked(getattr(hooks, specification, None)) for hooks in settings.HOOKS)


def may_read_parameters() -> bool:
    """Whether something else than nodes may read any parameter: then each step is given all that have a new value."""
    from kedro.framework.project import settings

    # Kedro 1.2 has no SESSION_CLASS yet.
    own = [getattr(settings, name) for name in _CLASSES if hasattr(settings, name)]
    return (
        any(not cls.__module__.startswith("kedro.") for cls in own)
        or any(_arguments(hook) & _HOLD_PARAMETERS for hook in _hooks(settings.HOOKS))
        or _has_unknown_plugin(settings.DISABLE_HOOKS_FOR_PLUGINS)
    )


def _hooks(objects: Iterable[Any]) -> Iterator[Any]:
    for one in objects:
        for name in dir(one):
            if _is_marked(found := getattr(one, name, None)):
                yield found


def _is_marked(function: Any) -> bool:
    from kedro.framework.hooks.markers import HOOK_NAMESPACE

    # What pluggy's marker leaves on a function.
    return hasattr(function, f"{HOOK_NAMESPACE}_impl")


def _arguments(function: Any) -> set[str]:
    try:
        return set(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return set(_HOLD_PARAMETERS)  # It cannot be told.


def _has_unknown_plugin(disabled: Iterable[str]) -> bool:
    """Whether hooks of a plugin run that is not known; it is not imported for that."""
    found = {entry.dist.name for entry in entry_points(group="kedro.hooks") if entry.dist}
    return any(name.replace("_", "-") not in _KNOWN_PLUGINS for name in found - set(disabled))
