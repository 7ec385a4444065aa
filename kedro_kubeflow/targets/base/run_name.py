"""What a run is called: a template filled with the Kedro parameters."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from kedro_kubeflow.errors import ConfigError, did_you_mean
from kedro_kubeflow.project.resolvers import resolvers_in


class _Parameters(string.Formatter):
    """``{a.b:.2f}`` is the parameter ``b`` inside ``a``; attributes and indices of Python's own are not reached."""

    def __init__(self, template: str, where: str) -> None:
        self.template, self.where = template, where

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:  # noqa: ARG002
        value: Any = kwargs
        for part in field_name.split("."):
            if not isinstance(value, Mapping) or part not in value:
                known = value if isinstance(value, Mapping) else ()
                raise ConfigError(
                    f"The run name {self.template!r} speaks of a parameter {field_name!r} that is not there. "
                    f"{did_you_mean(part, known)}",
                    where=self.where,
                    cure="name a parameter of the project, or double the braces: {{ and }}",
                )
            value = value[part]
        if given_by := resolvers_in(value):
            known_by = " and ".join(f"${{{name}:}}" for name in given_by)
            raise ConfigError(
                f"The run name {self.template!r} speaks of the parameter {field_name!r}, which {known_by} gives when a step runs",
                where=self.where,
                cure=f"name another parameter, or give this one a value (--params {field_name}=VALUE)",
            )
        return value, field_name


def fill_run_name(
    template: str, parameters: Mapping[str, Any], *, where: str = "kubeflow.yml, run_config.run_name"
) -> str:
    """The name of a run.

    >>> fill_run_name("train {model.type} at {rate:.2f}", {"model": {"type": "tree"}, "rate": 0.5})
    'train tree at 0.50'

    Raises:
        ConfigError: it speaks of a parameter that is not there, or is no template.
    """
    try:
        name = _Parameters(template, where).vformat(template, (), parameters)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"The run name {template!r} cannot be filled: {error}",
            where=where,
            cure="write {parameter}, and double the braces that stand for themselves: {{ and }}",
        ) from None
    if not name.strip():
        raise ConfigError("The run name is empty", where=where, cure="give one, or leave it out")
    return " ".join(name.split())
