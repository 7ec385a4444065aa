"""A rule of the user's own, by its class path."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from kedro_kubeflow.errors import CompileError, ConfigError
from kedro_kubeflow.plan.grouping.group import Group
from kedro_kubeflow.plan.nodes import NodeFacts

_WHERE = "kubeflow.yml, run_config.grouping.by"


def by_custom(nodes: Sequence[NodeFacts], path: str, params: Mapping[str, Any]) -> list[Group]:
    """Ask the rule.

    Args:
        path: where it is: ``package.module.name``, a function ``(nodes, **params) -> list[Group]`` or a class that is
            made with the params and then called with the nodes.

    Raises:
        ConfigError: there is no such rule.
        CompileError: it fails, or what it gives are no groups.
    """
    rule = _load(path)
    try:
        groups = rule(**params)(nodes) if isinstance(rule, type) else rule(nodes, **params)
        found = list(groups)
    except Exception as error:
        raise CompileError(
            f"The grouping {path} failed: {type(error).__name__}: {error}", where=_WHERE, cure="mend it there"
        ) from error
    for group in found:
        if not isinstance(group, Group):
            raise CompileError(
                f"The grouping {path} gave {type(group).__name__} {group!r}",
                where=_WHERE,
                cure="let it return a list of kedro_kubeflow.plan.grouping.Group(name, nodes)",
            )
    return [Group(str(group.name), tuple(group.nodes)) for group in found]


def _load(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        rule = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise ConfigError(
            f"The grouping {path} cannot be loaded: {type(error).__name__}: {error}",
            where=_WHERE,
            cure="name one of node, all, namespace, tag, pipeline, memory, or the import path of a callable",
        ) from error
    if not callable(rule):
        raise ConfigError(f"The grouping {path} is of type {type(rule).__name__}, and cannot be called", where=_WHERE)
    return rule
