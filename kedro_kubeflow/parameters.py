"""A Kedro parameter as a KFP pipeline input, and back, without losing a type.

KFP's inputs are typed (https://www.kubeflow.org/docs/components/pipelines/user-guides/data-handling/parameters/), but
what is inside a list or a dict travels as a protobuf ``Struct``: ``3.0`` comes out as ``3``, whole numbers above 2**53
are rounded, keys have no order, and the SDK refuses null. So the compiler remembers which numbers are floats, and what
KFP cannot hold (null, NaN, very large whole numbers, text that a template engine on the way would touch, an order of
keys that the project's conf does not know) goes as JSON text in a string input. The remaining values, that are not even
JSON, stay in the project's conf.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Both of KFP's engines (Argo: {{…}}, Kubernetes: $(…) and $$, recurring runs: [[…]], kfp.local: /kfp-workspace)
# rewrite what they find in a value.
_TEMPLATE = re.compile(r"\{\{|\}\}|\$\(|\$\$|\[\[|\]\]|/kfp-workspace")
# What Kubeflow fills in when a recurring run starts
# (https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/run-a-pipeline/).
RECURRING_RUN = re.compile(r"\[\[(?:ScheduledTime|CurrentTime|Index|RunUUID)(?:\.[^\[\]\"\\]*)?\]\]")
# What Vertex AI fills in when a job starts
# (https://kubeflow-pipelines.readthedocs.io/en/stable/source/dsl.html#kfp.dsl.PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER).
VERTEX_JOB = re.compile(r"\{\{\$\.pipeline_job_(?:schedule|create)_time_utc\}\}")
_EXACT_INTEGER = 2**53
# More float positions than this are shorter, and safer, as JSON text.
_MAX_FLOAT_PATHS = 32

Path = tuple[str | int, ...]

ABSENT: Any = object()
"""In the place of a value that is not there; None is one."""

_FITS: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "list": (list,),
    "dict": (dict,),
    "part": (dict,),
}

# Beside KFP's types: ``json`` is JSON text; ``part`` a mapping that is laid over what the conf has in the pod; ``unset`` is
# JSON text that is empty where nothing is given, as for ``${runtime_params:…}`` whose default the conf itself knows.
KFP_TYPES = {
    "bool": "BOOLEAN",
    "int": "NUMBER_INTEGER",
    "float": "NUMBER_DOUBLE",
    "str": "STRING",
    "list": "LIST",
    "dict": "STRUCT",
    "json": "STRING",
    "part": "STRUCT",
    "unset": "STRING",
}
_TEXT = ("json", "unset")


@dataclass(frozen=True)
class Encoding:
    """How one top-level Kedro parameter travels: which one it is, its kind, and where floats sit in it."""

    key: str
    kind: str
    floats: tuple[Path, ...] = ()

    @property
    def kfp_type(self) -> str:
        """The ``ParameterType`` of KFP's IR."""
        return KFP_TYPES[self.kind]


class NotPortableError(ValueError):
    """A value that is not JSON; the message says why."""


Macros = re.Pattern[str] | None
"""What is left as it is, for the platform to fill in when a run starts; nothing where it is None."""


def encoding_of(key: str, value: Any, *, macros: Macros = None, model: Any = None) -> Encoding:
    """Choose how a value travels.

    Args:
        model: by what the pod puts keys into order: what the image's configuration says by itself.

    Raises:
        NotPortableError: it cannot, as it is not made of JSON's types.
    """
    _check_portable(value)
    kind = "null" if value is None else type(value).__name__
    if kind in KFP_TYPES and _native(_without(value, macros)) and _has_order_of(ordered_like(value, model), value):
        floats = tuple(_integral_floats(value)) if kind in ("list", "dict") else ()
        if len(floats) <= _MAX_FLOAT_PATHS:
            return Encoding(key, kind, floats)
    return Encoding(key, "json")


def part_of(key: str, value: Mapping[str, Any], *, macros: Macros = None, model: Any = None) -> Encoding:
    """How some keys of a parameter travel, whose others are worked out in the pod.

    Args:
        model: as of `encoding_of`.

    Raises:
        NotPortableError: a value among them cannot travel.
    """
    whole = encoding_of(key, dict(value), macros=macros, model=model)
    # What KFP's own types cannot hold goes as text, and is laid over the conf's own all the same.
    return Encoding(key, "part", whole.floats) if whole.kind == "dict" else Encoding(key, "unset")


def encode(encoding: Encoding, value: Any, *, macros: Macros = None) -> Any:
    """The value of the KFP input: a bool, int, float, str, list or dict."""
    return _json_text(value, macros=macros) if encoding.kind in _TEXT else value


def is_given(encoding: Encoding, received: Any) -> bool:
    """Whether a received value is one, rather than a word that there is none."""
    return not (encoding.kind == "unset" and isinstance(received, str) and not received.strip())


def decode(encoding: Encoding, received: Any) -> Any:
    """The Kedro value of what KFP handed to the step, whatever went through protobuf and JSON on the way.

    A value that somebody typed into the UI for a ``json`` input need not be JSON: then it is that text.
    """
    if encoding.kind in _TEXT:
        try:
            return json.loads(received) if isinstance(received, str) else _settle(received)
        except ValueError:
            return received
    if encoding.kind == "float":
        return float(received)
    settled = _settle(received)
    for path in encoding.floats:
        settled = _as_float(settled, path)
    return settled


def ordered_like(value: Any, model: Any) -> Any:
    """The value with the keys of its mappings in a model's order; keys that the model lacks follow, sorted.

    A protobuf Struct has no order, and every process may see another one; but a mapping that is logged as text must read
    the same in all steps.
    """
    if isinstance(value, dict):
        known = model if isinstance(model, Mapping) else {}
        keys = [key for key in known if key in value] + sorted(key for key in value if key not in known)
        return {key: ordered_like(value[key], known.get(key)) for key in keys}
    if isinstance(value, list):
        models = model if isinstance(model, list) else []
        return [ordered_like(item, models[i] if i < len(models) else None) for i, item in enumerate(value)]
    return value


def _has_order_of(value: Any, other: Any) -> bool:
    """Whether the keys of two values that are equal come in one order, at any depth."""
    if isinstance(value, dict):
        return list(value) == list(other) and all(_has_order_of(item, other[key]) for key, item in value.items())
    if isinstance(value, list):
        return all(_has_order_of(item, item_of_other) for item, item_of_other in zip(value, other, strict=True))
    return True


def coerce(encoding: Encoding, value: Any, *, macros: Macros = None) -> Any:
    """The KFP input for a new value of a parameter whose type is already fixed in an uploaded pipeline.

    Raises:
        ValueError: the value does not fit that type.
    """
    if encoding.kind in _TEXT:
        return _json_text(value, macros=macros)
    fits: tuple[type, ...] = _FITS[encoding.kind]
    if not isinstance(value, fits) or (isinstance(value, bool) and encoding.kind != "bool"):
        if macros and isinstance(value, str) and macros.search(value):
            raise ValueError(f"{value} becomes text when the run starts, and the parameter is {_a(encoding.kind)}")
        raise ValueError(f"{_a(encoding.kind)} is expected, got {value!r}")
    if not _native(_without(value, macros)):
        raise ValueError("the value cannot travel as a run-time input of this type; compile with it instead")
    return value


def _a(kind: str) -> str:
    words = {"bool": "true or false", "int": "a whole number", "float": "a number", "str": "text", "list": "a list"}
    return words.get(kind, "a mapping")


def _without(value: Any, macros: Macros) -> Any:
    if macros is None:
        return value
    if isinstance(value, str):
        return macros.sub("", value)
    if isinstance(value, Mapping):
        return {key: _without(item, macros) for key, item in value.items()}
    return [_without(item, macros) for item in value] if isinstance(value, list) else value


def same(value: Any, other: Any) -> bool:
    """Equal, and of the same types at every depth: ``1`` is neither ``1.0`` nor ``True``."""
    if type(value) is not type(other):
        return False
    if isinstance(value, Mapping):
        return value.keys() == other.keys() and all(same(item, other[key]) for key, item in value.items())
    if isinstance(value, list):
        return len(value) == len(other) and all(same(a, b) for a, b in zip(value, other, strict=True))
    # What is no number equals nothing, itself included.
    return bool(value == other or (value != value and other != other))


def size(name: str, value: Any) -> int:
    """Bytes of one input as KFP's server counts them against its limit: the JSON of name and value."""
    return len(json.dumps({name: value}, ensure_ascii=False).encode())


def _check_portable(value: Any) -> None:
    if value is None or isinstance(value, bool | int | float | str):
        if type(value) not in (type(None), bool, int, float, str):
            raise NotPortableError(f"a {type(value).__name__} is not a plain value")
        return
    if type(value) is list:
        for item in value:
            _check_portable(item)
    elif type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise NotPortableError(f"the key {key!r} is not text")
            _check_portable(item)
    else:
        raise NotPortableError(f"a {type(value).__name__} is not a JSON value")


def _native(value: Any) -> bool:
    """Whether the value survives KFP's own types, float positions aside."""
    if isinstance(value, str):
        return not _TEMPLATE.search(value)
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) <= _EXACT_INTEGER
    if isinstance(value, float):
        return math.isfinite(value) and not (value == 0 and math.copysign(1, value) < 0)
    if isinstance(value, list):
        return all(_native(item) for item in value)
    if isinstance(value, Mapping):
        return all(_native(key) and _native(item) for key, item in value.items())
    return False


def _integral_floats(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, float):
        if value.is_integer():
            yield path
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _integral_floats(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _integral_floats(item, (*path, key))


def _settle(value: Any) -> Any:
    """Undo what a protobuf Struct does to numbers: whole ones are ints again."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_settle(item) for item in value]
    if isinstance(value, dict):
        return {key: _settle(item) for key, item in value.items()}
    return value


def _as_float(value: Any, path: Path) -> Any:
    """The value with the number at a path as a float; a path that somebody edited away is no error."""
    if not path:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
    head, rest = path[0], path[1:]
    if isinstance(value, list) and isinstance(head, int) and head < len(value):
        return [_as_float(item, rest) if index == head else item for index, item in enumerate(value)]
    if isinstance(value, dict) and head in value:
        return {key: _as_float(item, rest) if key == head else item for key, item in value.items()}
    return value


def _json_text(value: Any, *, macros: Macros) -> str:
    """JSON in which no template engine finds anything but macros: its marks are escaped inside strings and spread outside."""
    # Not every server's database has the characters that JSON can do without.
    text = json.dumps(value, ensure_ascii=True)
    # Strings and what is between them, in turn.
    parts = re.split(r'("(?:[^"\\]|\\.)*")', text)
    return "".join(_escape(part, macros=macros) if i % 2 else _spread(part) for i, part in enumerate(parts))


def _spread(text: str) -> str:
    return re.sub(r"(?<=[\[\]{}])(?=[\[\]{}])", " ", text)


def _escape(literal: str, *, macros: Macros) -> str:
    if macros:
        between = [_escape(text, macros=None) for text in macros.split(literal)]
        found = [*macros.findall(literal), ""]
        return "".join(text + macro for text, macro in zip(between, found, strict=True))
    for mark in "{}$[]":
        literal = literal.replace(mark, f"\\u{ord(mark):04x}")
    return literal.replace("/kfp-workspace", "\\u002fkfp-workspace")
