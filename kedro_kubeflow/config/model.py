"""The base of every model of kubeflow.yml: frozen, unknown keys refused, every error with its key and a cure."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Tag, ValidationError

from kedro_kubeflow.errors import ConfigError, did_you_mean

M = TypeVar("M", bound="Model")


class Model(BaseModel):
    """A section of kubeflow.yml."""

    # Most commands read few sections, and each once: what reads a section is made when it is first read.
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)


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
    location, at = _in_yaml(model, [str(part) for part in error["loc"]])
    key = ".".join(location)
    if error["type"] == "extra_forbidden":
        known = {field.alias or name for one in at for name, field in one.model_fields.items()}
        return f"unknown key {key!r}. {did_you_mean(location[-1], known)}"
    if error["type"] == "missing":
        return f"{key!r} is missing"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{key!r}: {message}" if key else message
    return f"{key!r}: {message} (got {error['input']!r})"


def _in_yaml(model: type[BaseModel], path: list[str]) -> tuple[list[str], set[type[BaseModel]]]:
    """A place as it stands in the file, and the models that describe what surrounds its last key.

    Walks through optionals, lists and mappings of models. Pydantic puts the tag of a union's chosen member into its path,
    which is no key.
    """
    candidates: set[type[BaseModel]] = {model}
    place: list[str] = []
    tags: dict[str, set[type[BaseModel]]] = {}
    for index, part in enumerate(path):
        if part in tags:
            candidates, tags = tags[part], {}
            continue
        place.append(part)
        if index == len(path) - 1:
            break
        following: set[type[BaseModel]] = set()
        tags = {}
        for candidate in candidates:
            field = _field(candidate, part)
            # A key of a mapping or an index of a list is no field: the models inside are already candidates.
            following |= _models_in(field.annotation) if field else {candidate}
            tags |= _tagged(field.annotation, *field.metadata) if field else {}
        candidates = following or candidates
    return place, candidates


def _tagged(annotation: Any, *metadata: Any) -> dict[str, set[type[BaseModel]]]:
    """The members of a union that are told apart by a tag."""
    found = {mark.tag: _models_in(annotation) for mark in metadata if isinstance(mark, Tag)}
    for argument in get_args(annotation):
        if get_origin(annotation) is not Annotated or argument == get_args(annotation)[0]:
            marks = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
            found |= _tagged(argument, *marks)
    return found


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
