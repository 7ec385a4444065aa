"""What is said of the keys of a model: the docstrings below its fields.

Pydantic would read them itself (``use_attribute_docstrings``), but whenever the models are made: that takes longer than most
commands, which show them to nobody.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise
from types import ModuleType

from pydantic import BaseModel


@cache
def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """By the field's name, those that its parents describe as well."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        module = inspect.getmodule(parent)
        if module is not None and issubclass(parent, BaseModel) and parent is not BaseModel:
            found |= _in_module(module).get(parent.__name__, {})
    return {name: text for name, text in found.items() if name in model.model_fields}


@cache
def _in_module(module: ModuleType) -> dict[str, dict[str, str]]:
    classes = [node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.ClassDef)]
    return {node.name: dict(_below_fields(node.body)) for node in classes}


def _below_fields(body: list[ast.stmt]) -> list[tuple[str, str]]:
    return [
        (field.target.id, inspect.cleandoc(below.value.value))
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    ]
