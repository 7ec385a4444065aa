"""The names by which nodes ask for parameters, as Kedro makes them: ``params:a.b`` of ``a: {b: 1}``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def by_path(values: Mapping[Any, Any]) -> dict[str, tuple[Any, Any]]:
    """Name → the top-level key that its value stands under, and the value.

    Keys may hold dots themselves, and need not be text: then several give one name, and Kedro takes what it comes to last.
    """
    return {path: (key, value) for key, item in values.items() for path, value in _paths(str(key), item)}


def _paths(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    yield path, value
    for name, item in (_fields(value) or {}).items():
        yield from _paths(f"{path}.{name}", item)


def _fields(value: Any) -> Mapping[Any, Any] | None:
    """What is inside a mapping, or a model that a node's type has made of one."""
    if isinstance(value, Mapping):
        return value
    if value is None or isinstance(value, str | bool | int | float | list):
        return None
    try:
        from kedro.validation.utils import get_typed_fields
    except ImportError:  # Kedro before 1.3 makes no models.
        return None
    fields: Mapping[str, Any] | None = get_typed_fields(value)
    return fields
