"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kedro_kubeflow import errors

Level = Literal["error", "warning", "info"]
LEVELS: tuple[Level, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """One thing to know before a run.

    Attributes:
        id: stays the same from version to version, for programs.
        level: ``error``: the run would fail, or do something else than at home; ``warning``: it may; ``info``: good to know.
        where: the file and key, the dataset, the node.
    """

    id: str
    level: Level
    what: str
    where: str | None = None
    cure: str | None = None


_IDS: dict[type[errors.KedroKubeflowError], str] = {
    errors.CycleError: "cycle",
    errors.NameClash: "name-clash",
    errors.CompileError: "compile",
    errors.ParameterError: "parameters",
    errors.ProjectError: "project",
    errors.ConfigError: "config",
    errors.DependencyError: "dependency",
    errors.AuthError: "server-auth",
    errors.ServerError: "server",
}


def from_error(error: errors.KedroKubeflowError) -> Finding:
    """The finding that an error amounts to."""
    name = next((_IDS[kind] for kind in type(error).__mro__ if kind in _IDS), "error")
    return Finding(name, "error", error.what, error.where, error.cure)
