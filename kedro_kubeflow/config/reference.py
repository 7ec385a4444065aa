"""The configuration reference as Markdown, written from the models: every key, its type, its default, and what it means."""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from kedro_kubeflow.config import duration, quantity, selectors
from kedro_kubeflow.config.descriptions import descriptions
from kedro_kubeflow.config.kubeflow import KubeflowConfig

_INTRO = """\
`conf/<env>/kubeflow.yml` says where Kubeflow Pipelines is and how the pipeline's steps run. Environments are merged key by key,
and `${globals:…}`, the project's own resolvers and `${oc.env:NAME}` can be used. An unknown key is refused, with the nearest
name. `kubeflow.schema.json`, beside this page, is the same as a JSON schema; an editor that knows YAML's language server checks
the file against it with `# yaml-language-server: $schema=…` in its first line.
"""
_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    Any: "anything",
    datetime: "date and time",
}
_MEANT: dict[Any, str] = {
    duration.seconds: "length of time",
    quantity.cpu: "amount of cpu",
    quantity.memory: "amount of memory",
    quantity.storage: "size",
}


def reference() -> str:
    """The whole page."""
    sections = [_section(path, model) for path, model in _models()]
    return "\n".join(
        ["# kubeflow.yml", "", _INTRO, "## Selectors", "", *_selectors(), "", *(line for s in sections for line in s)]
    )


def _selectors() -> list[str]:
    text = inspect.cleandoc(selectors.__doc__ or "").partition("\n")[2].strip()
    return ["What each step may have its own value of is said in a table of selectors.", "", text.partition("\n\n")[2]]


def _models() -> Iterator[tuple[str, type[BaseModel]]]:
    """Every model once, with the path at which it first stands, parents before children."""
    seen: set[type[BaseModel]] = set()
    waiting: list[tuple[str, type[BaseModel]]] = [("", KubeflowConfig)]
    while waiting:
        path, model = waiting.pop(0)
        if model in seen:
            continue
        seen.add(model)
        yield path, model
        inner = [
            (f"{path}.{field.alias or name}".lstrip("."), found)
            for name, field in model.model_fields.items()
            for found in _models_in(field.annotation)
        ]
        waiting = [*inner, *waiting]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif isinstance(annotation, type) or not get_args(annotation):
        return
    else:
        for argument in get_args(annotation):
            yield from _models_in(argument)


def _section(path: str, model: type[BaseModel]) -> list[str]:
    lines = [f"## {_title(path, model)}", "", *_paragraphs(model.__doc__), ""]
    if model.model_fields:
        lines += ["| Key | Value | Default | |", "|---|---|---|---|", *_rows(model), ""]
    return lines


def _title(path: str, model: type[BaseModel]) -> str:
    kind = model.model_fields.get("type")
    words = get_args(kind.annotation) if kind and get_origin(kind.annotation) is Literal else ()
    if len(words) == 1:
        return f"`{path}`, `type: {words[0]}`"
    return f"`{path}`: {_spaced(model.__name__)}" if path else "Top level"


def _spaced(name: str) -> str:
    """A model's name as words: what tells apart several that stand at one path."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Config")).lower()


def _rows(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        meaning = descriptions(model).get(name, "")
        cells = [f"`{field.alias or name}`", _field_type(field), _default(field), _one_line(meaning)]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _field_type(field: FieldInfo) -> str:
    table = [m.func for m in field.metadata if isinstance(m, BeforeValidator)]
    if selectors._table in table:
        return f"{_type(_value_of(field.annotation))}; or by step"
    if selectors._table_of_mappings in table:
        return f"by step: {_type(_value_of(field.annotation))}"
    return _type(field.annotation, field.metadata)


def _value_of(annotation: Any) -> Any:
    """What the values of a table are."""
    return get_args(annotation)[1]


def _type(annotation: Any, metadata: Any = ()) -> str:
    for item in metadata:
        if isinstance(item, BeforeValidator) and item.func in _MEANT:
            return _MEANT[item.func]
    if annotation in _WORDS:
        return _WORDS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{_spaced(annotation.__name__)}](#{_anchor(annotation)})"
    return _compound(get_origin(annotation), get_args(annotation), annotation)


def _compound(origin: Any, arguments: tuple[Any, ...], annotation: Any) -> str:
    if origin is Annotated:
        return _type(arguments[0], arguments[1:])
    if origin is Literal:
        return " or ".join(
            f"`{json.dumps(word) if isinstance(word, bool) else word}`" for word in arguments if word != ""
        )
    if origin in (Union, types.UnionType):
        kinds = dict.fromkeys(_type(a) for a in arguments if a is not type(None))
        return " or ".join(kinds)
    if origin in (list, tuple):
        return f"list of {_type(arguments[0])}"
    if origin in (dict, Mapping):
        return f"mapping of names to {_type(arguments[1])}"
    return _spaced(getattr(annotation, "__name__", str(annotation)))


_ANCHORS: dict[type[BaseModel], str] = {}


def _anchor(model: type[BaseModel]) -> str:
    """Where a model's section stands, as MyST and GitHub make anchors of headings."""
    if not _ANCHORS:
        _ANCHORS.update({m: _slug(_title(path, m)) for path, m in _models()})
    return _ANCHORS[model]


def _slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", (), [], {}) or isinstance(value, BaseModel):
        return ""
    return f"`{json.dumps(value, default=str)}`"


def _paragraphs(text: str | None) -> list[str]:
    return inspect.cleandoc(text or "").splitlines()


def _one_line(text: str) -> str:
    return " ".join(text.split())
