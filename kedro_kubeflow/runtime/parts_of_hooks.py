"""Some of the hooks of a class of hooks: those that hear of a whole run, or the others."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import distributions
from typing import Any

from kedro_kubeflow.project.mlflow_plugin import PLUGIN

OF_A_RUN = ("before_pipeline_run", "after_pipeline_run", "on_pipeline_error")
# kedro-mlflow's are about the run that a process has joined, and each step joins it.
_IN_EACH_STEP = frozenset({PLUGIN, "kedro-kubeflow"})


class Part:
    """Some hooks of a plugin's, as a plugin."""

    def __init__(self, hooks: Mapping[str, Any]) -> None:
        vars(self).update(hooks)


def without_run_hooks(hooks: Any) -> Any:
    """The same hooks but for those that hear of a whole run."""
    from kedro.framework.hooks.markers import HOOK_NAMESPACE

    marked = {name: getattr(hooks, name) for name in dir(hooks) if is_marked(hooks, name, HOOK_NAMESPACE)}
    return Part({name: hook for name, hook in marked.items() if name not in OF_A_RUN})


def plugins() -> dict[str, list[Any]]:
    """Distribution → its plugins among those that hear of a whole run, as far as the project lets them in.

    https://docs.kedro.org/en/stable/extend/plugins/#hooks
    """
    from kedro.framework.hooks.markers import HOOK_NAMESPACE
    from kedro.framework.project import settings

    found: dict[str, list[Any]] = {}
    seen = set()
    # As pluggy looks for them, where a package is found twice, the first counts; and anew, as the project's own folder is on the
    # path by now: a plugin may lie there.
    for distribution in distributions():
        name = str(distribution.metadata["name"])
        for entry in distribution.entry_points:
            if entry.group != "kedro.hooks" or entry.name in seen:
                continue
            seen.add(entry.name)
            if name.replace("_", "-") not in _IN_EACH_STEP and name not in settings.DISABLE_HOOKS_FOR_PLUGINS:
                found.setdefault(name, []).append(entry.load())
    return {
        name: hooks
        for name, hooks in found.items()
        if any(is_marked(one, hook, HOOK_NAMESPACE) for one in hooks for hook in OF_A_RUN)
    }


def is_marked(hooks: Any, name: str, namespace: str) -> bool:
    """Whether a function of that name is a hook."""
    return not name.startswith("__") and hasattr(getattr(hooks, name, None), f"{namespace}_impl")
