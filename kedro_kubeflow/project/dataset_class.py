"""Where a dataset keeps its data when the catalog does not say: told by the signature of its class.

A class may have its own name for a path (``where: Path``), or a default that no catalog repeats
(``folder="data/06_models"``). Only classes of such entries are imported, and nothing is instantiated.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from kedro_kubeflow.entries import FOUND, is_elsewhere_by_type, is_local, is_place_name, local_path, unknown_place

# Options of Kedro's own that no data lies behind.
_NO_PLACES = frozenset({"metadata", "credentials", "load_args", "save_args", "fs_args", "version", "dataset"})
_HANDLE = re.compile(r"(Handle|Store|Client|Connection|Collection|Engine|Database|Study)['\"]?$")
_STORE = re.compile(r"(VectorStore|ChromaDB|LanceDB)\w*$")
_PATH_TYPES = ("Path", "PathLike", "UPath")


def placed(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry, with the path that its class has by default, and `FOUND` where the class says which key holds it.

    As it is where the catalog tells the place, or the class cannot be imported.
    """
    inner = entry.get("dataset")
    if isinstance(inner, Mapping) and "type" in inner and local_path(entry) is None:
        return {**entry, "dataset": placed(inner)}
    if unknown_place(entry) is None:
        return dict(entry)
    found = _class_of(entry)
    if found is None:
        return dict(entry)
    if any(is_elsewhere_by_type(f"{base.__module__}.{base.__qualname__}") for base in found.__mro__):
        return {**entry, FOUND: ""}
    places = dict(_places(found, entry))
    if len(places) != 1:
        return {**entry, **{key: value for key, value in places.items() if key not in entry}}
    return {**entry, **places, FOUND: next(iter(places))}


def is_opened_in_place(entry: Mapping[str, Any]) -> bool:
    """Whether what is loaded is a handle, by which a node changes the data where they lie, as of a vector store."""
    found = _class_of(entry)
    loaded = (str(name).rpartition(".")[2] for name in _loaded_types(found)) if found else ()
    return any(_HANDLE.search(name) for name in loaded) or bool(_STORE.search(str(entry.get("type", ""))))


def _loaded_types(cls: type) -> Iterator[str]:
    """What a dataset's class says that it loads."""
    for base in cls.__mro__:
        for generic in base.__dict__.get("__orig_bases__", ()):
            yield from (getattr(a, "__forward_arg__", getattr(a, "__name__", "")) for a in get_args(generic)[1:2])
        for method in (base.__dict__.get("load"), base.__dict__.get("_load")):
            said = getattr(method, "__annotations__", {}).get("return", "")
            yield said if isinstance(said, str) else getattr(said, "__name__", "")


def takes_metadata(entry: Mapping[str, Any]) -> bool:
    """Whether the entry's class can be given ``metadata``, as Kedro hands it on; true where the class is not known."""
    found = _class_of(entry)
    parameters = _parameters(found) if found else {}
    return not parameters or any(p.name == "metadata" or p.kind is p.VAR_KEYWORD for p in parameters.values())


def _places(cls: type, entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is called or typed like a path, with a local value, the class's own where the entry has none."""
    for name, parameter in _parameters(cls).items():
        value = entry.get(name, parameter.default)
        if name in _NO_PLACES or not isinstance(value, str | Path) or not str(value) or not is_local(str(value)):
            continue
        if _is_path(parameter.annotation) or is_place_name(name, str(value)):
            yield name, str(value)


def _parameters(cls: type) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(cls).parameters
    except (TypeError, ValueError):
        return {}


def _is_path(annotation: Any) -> bool:
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "") + str(annotation)
    words = {word.rpartition(".")[2] for word in text.replace("[", " ").replace("]", " ").replace("|", " ").split()}
    return any(word.strip("',\"<>") in _PATH_TYPES for word in words)


def _class_of(entry: Mapping[str, Any]) -> Any:
    from kedro.io.core import parse_dataset_definition

    try:
        return parse_dataset_definition({"type": entry["type"]})[0]
    except Exception:  # Its library is not here, as it need not be.
        return None
