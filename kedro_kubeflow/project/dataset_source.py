"""Whether a dataset's class is here, told by the text of its module: nothing of it is imported, as its libraries may be heavy,
or in the image alone.

Kedro looks a type up as it stands, in ``kedro.io`` and in ``kedro_datasets``:
https://docs.kedro.org/en/stable/catalog-data/data_catalog/
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, metadata
from importlib.util import find_spec, resolve_name
from pathlib import Path

_DATASETS = "kedro_datasets"
_PREFIXES = ("kedro.io.", f"{_DATASETS}.", "")
_CALLED_SO = re.compile(r"\b[A-Z]\w*(?:Dataset|DataSet|Writer)\b")
# Modules that have names which their text does not hold.
_MORE_NAMES = re.compile(r"^\s*(?:from\s+\S+\s+import\s+\*|def\s+__getattr__\b)", re.MULTILINE)
_DEPTH = 5


@dataclass(frozen=True)
class Lack:
    """Why a dataset's class cannot be had here.

    Attributes:
        package: what is not installed here, and may be in the image; empty where it is not for that.
        extra: of kedro-datasets, which brings that.
        said: what is the matter where no package is missing.
        known: names of datasets that are there.
    """

    package: str = ""
    extra: str = ""
    said: str = ""
    known: tuple[str, ...] = ()


@lru_cache(maxsize=1024)
def lack_of(type_: str) -> Lack | None:
    """Why there is no class of a type; None where there is one, or where its module's text does not tell."""
    module, _, name = type_.rpartition(".")
    found = _modules(module)
    if any(_holds(spec, name) for spec in found):
        return None
    if "." not in module and _spec(_DATASETS) is None:
        return Lack(package="kedro-datasets", extra=f"{module}-{name}".lower())
    if not found:
        top = module.partition(".")[0]
        return Lack(said=f"{top} has no module {module}") if _spec(top) else Lack(package=top)
    text = _text(found[0])
    if text is None or _MORE_NAMES.search(text):
        return None
    return Lack(said=f"{found[0].name} has no {name}", known=tuple(sorted({*_CALLED_SO.findall(text)})))


def lacking_import(type_: str) -> Lack | None:
    """The first package that a class needs and that is not here; None where there is none, or no such class."""
    module, _, name = type_.rpartition(".")
    holder = next((spec for spec in _modules(module) if _holds(spec, name)), None)
    package = _missing(holder, name) if holder else ""
    return Lack(package=package, extra=_extra(holder.name, name)) if holder and package else None


@lru_cache(maxsize=1024)
def arguments_of(type_: str) -> frozenset[str] | None:
    """What the constructor of a class takes; None where it takes anything, or its own module's text does not tell."""
    module, _, name = type_.rpartition(".")
    holder = next((spec for spec in _modules(module) if _holds(spec, name)), None)
    found = _class_in(holder, name) if holder else None
    made = {node.name: node for node in found.body if isinstance(node, ast.FunctionDef)} if found else {}
    constructor = made.get("__init__")
    if found is None or constructor is None or "__new__" in made or found.keywords or found.decorator_list:
        return None
    taken = constructor.args
    if taken.kwarg or constructor.decorator_list:
        return None
    return frozenset(argument.arg for argument in (*taken.args, *taken.kwonlyargs)) - {"self"}


def _class_in(spec: ModuleSpec, name: str, depth: int = _DEPTH) -> ast.ClassDef | None:
    """The definition of a class, in a module or where it has it from."""
    try:
        tree = ast.parse(_text(spec) or "")
    except SyntaxError:
        return None
    own = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name]
    if own:
        return own[0] if len(own) == 1 else None
    origins = _origins(tree, spec, name) if depth else ()
    return next((found for origin, real in origins if (found := _class_in(origin, real, depth - 1))), None)


def _modules(module: str) -> list[ModuleSpec]:
    """Where Kedro would look a type up."""
    places = [f"{prefix}{module}".rstrip(".") for prefix in _PREFIXES]
    return [spec for place in places if place and (spec := _spec(place))]


def _extra(holder: str, name: str) -> str:
    """How requirements ask for what one of Kedro's own datasets needs."""
    top, _, inner = holder.partition(".")
    group = inner.partition(".")[0]
    try:
        known = metadata(_DATASETS).get_all("Provides-Extra") or [] if top.startswith(_DATASETS) else []
    except PackageNotFoundError:
        known = []
    return next((extra for extra in (f"{group}-{name}".lower(), f"{group}-dataset", group) if extra in known), "")


def _spec(module: str) -> ModuleSpec | None:
    """Where a module is; only finders are asked, and not even its packages are imported."""
    name, *inner = module.split(".")
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    for part in inner:
        folders = spec.submodule_search_locations if spec else None
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, list(folders)) if folders is not None else None
    return spec


def _holds(spec: ModuleSpec, name: str) -> bool:
    return bool(re.search(rf"\b{re.escape(name)}\b", _text(spec) or ""))


def _missing(spec: ModuleSpec, name: str, depth: int = _DEPTH) -> str:
    """The first package that a module with a class, or the one that it has it from, imports and that is not here."""
    try:
        tree = ast.parse(_text(spec) or "")
    except SyntaxError:
        return ""
    if lacking := next((top for top in _imported(tree) if _spec(top) is None), ""):
        return lacking
    origins = _origins(tree, spec, name) if depth else ()
    return next((lacking for origin, own in origins if (lacking := _missing(origin, own, depth - 1))), "")


def _origins(tree: ast.Module, spec: ModuleSpec, name: str) -> Iterator[tuple[ModuleSpec, str]]:
    """The modules that a module has a name from, and what it is called there."""
    package = spec.name if spec.submodule_search_locations is not None else (spec.parent or "")
    for node in ast.walk(tree):
        given = [a.name for a in node.names if name in (a.asname, a.name)] if isinstance(node, ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom) and given:
            origin = _spec(resolve_name("." * node.level + (node.module or ""), package))
            if origin:
                yield origin, given[0]


def _imported(tree: ast.Module) -> Iterator[str]:
    """The packages that a module cannot do without."""
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and not statement.level:
            yield (statement.module or "").partition(".")[0]


def _text(spec: ModuleSpec) -> str | None:
    """A module's source; none of what is compiled."""
    if spec.origin is None or not spec.origin.endswith(".py"):
        return "" if spec.submodule_search_locations is not None and spec.origin is None else None
    try:
        return Path(spec.origin).read_text("utf-8", errors="replace")
    except OSError:
        return None
