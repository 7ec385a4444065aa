"""The base of every model of kubeflow.yml: frozen, unknown keys refused, every error with its key and a cure."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from kedro_kubeflow.errors import ConfigError, did_you_mean

M = TypeVar("M", bound="Model")


class Model(BaseModel):
    """A section of kubeflow.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True)


def parse(model: type[M], data: Mapping[str, Any], *, where: str) -> M:
    """Read one section.

    Args:
        model: what the section must look like.
        data: the section as the config loader gives it.
        where: the file (and key) to name in an error.

    Raises:
        ConfigError: names every wrong key of the section at once, each with what is expected there.
    """
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        problems = [_problem(model, dict(e)) for e in error.errors(include_url=False)]
        raise ConfigError("; ".join(problems), where=where) from None


def _problem(model: type[BaseModel], error: dict[str, Any]) -> str:
    location = [str(part) for part in error["loc"]]
    key = ".".join(location)
    if error["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        return f"unknown key {key!r}. {did_you_mean(location[-1], known)}"
    if error["type"] == "missing":
        return f"{key!r} is missing"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{key!r}: {message}" if key else message
    return f"{key!r}: {message} (got {error['input']!r})"


def _keys_at(model: type[BaseModel], path: list[str]) -> set[str]:
    """The keys that a model knows at a path, walking through optionals, lists and dicts of models."""
    candidates: set[type[BaseModel]] = {model}
    for part in path:
        following: set[type[BaseModel]] = set()
        for candidate in candidates:
            field = _field(candidate, part)
            # A key of a mapping or an index of a list is no field: the models inside are already candidates.
            following |= _models_in(field.annotation) if field else {candidate}
        candidates = following or candidates
    return {field.alias or name for candidate in candidates for name, field in candidate.model_fields.items()}


def _field(model: type[BaseModel], key: str) -> Any:
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            return field
    return None


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    if get_origin(annotation) in (Union, types.UnionType, list, tuple, dict, Mapping) or get_args(annotation):
        return {found for argument in get_args(annotation) for found in _models_in(argument)}
    return set()
