"""Targets by name: ours, and those of other packages, which bring theirs as an entry point."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_kubeflow.errors import ConfigError, DependencyError, did_you_mean

if TYPE_CHECKING:
    from kedro_kubeflow.project.opening import OpenProject
    from kedro_kubeflow.targets.base.target import Target

LATEST = "latest"
"""What people say in place of a run's id."""
GROUP = "kedro_kubeflow.targets"
"""The group of entry points (https://packaging.python.org/en/latest/specifications/entry-points/): the target's name, and the
class, a `Target`."""

# Not entry points of ours: looking those up takes longer than most commands have.
OURS = {
    "kubeflow": "kedro_kubeflow.targets.kubeflow.target:KubeflowTarget",
    "local": "kedro_kubeflow.targets.local.target:LocalTarget",
    "vertexai": "kedro_kubeflow.targets.vertexai.target:VertexTarget",
}


def target_names() -> list[str]:
    """Every name that there is, sorted."""
    return sorted({*OURS, *(point.name for point in entry_points(group=GROUP))})


def target_class(name: str) -> type[Target]:
    """The target of a name.

    Raises:
        ConfigError: there is none.
        DependencyError: another package's cannot be loaded.
    """
    if name in OURS:
        module, attribute = OURS[name].split(":")
        found: type[Target] = getattr(importlib.import_module(module), attribute)
        return found
    points = entry_points(group=GROUP, name=name)
    if not points:
        raise ConfigError(f"There is no target {name!r}. {did_you_mean(name, target_names())}")
    return _loaded(name, next(iter(points)))


def _loaded(name: str, point: Any) -> type[Target]:
    from kedro_kubeflow.targets.base.target import Target

    try:
        found = point.load()
    except Exception as error:
        raise DependencyError(
            f"The target {name!r} cannot be loaded: {type(error).__name__}: {error}", where=f"entry point {point.value}"
        ) from error
    if not (isinstance(found, type) and issubclass(found, Target)):
        raise DependencyError(f"The target {name!r} is no Target, but {found!r}", where=f"entry point {point.value}")
    return found


def open_target(
    asked: str | None = None, *, env: str | None = None, run: str | None = None, path: Path | None = None
) -> Target:
    """A target for the project; nothing is sent yet.

    Args:
        asked: its name; the one that is configured where it is None.
        run: a run that somebody speaks of: a target that knows it for sure to be its own is taken where none is asked for.
        path: a folder in the project; the working directory where it is None.

    Raises:
        ProjectError: the project cannot be opened.
        ConfigError: there is no such target, it is not configured, or several are and none is asked for.
    """
    from kedro_kubeflow.project.opening import open_project
    from kedro_kubeflow.project.target import configured

    kind = target_class(asked) if asked else None
    project = open_project(path, env=env)
    if kind is None and run is not None:
        kind = owner_of(project, run)
    free = kind is not None and kind.any_form
    found = configured(project.config_loader(), None if free else asked, either=free)
    return (kind or target_class(found.target))(project, found.config)


def owner_of(project: OpenProject, run: str) -> type[Target] | None:
    """The target that knows a run for sure to be its own; None where none does."""
    return next((kind for kind in map(target_class, OURS) if kind.owns(project, run)), None)


def open_run(
    run: str, asked: str | None = None, *, env: str | None = None, path: Path | None = None
) -> tuple[Target, str]:
    """The target of a run that somebody speaks of, and the run's id there.

    Args:
        run: its id, the link that opens it, or ``latest``.

    Raises:
        ProjectError, ConfigError: as `open_target`.
        AuthError, ServerError: for the latest run: it cannot be asked for, or there is none.
    """
    target = open_target(asked, env=env, run=None if run == LATEST else run, path=path)
    return target, target.latest().id if run == LATEST else target.run_id(run)
