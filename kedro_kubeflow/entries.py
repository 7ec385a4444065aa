"""Where a catalog entry keeps its data on this machine's disk, and the same entry with another place.

What the plan decides by, and what the runtime changes in a pod; entries are plain configuration, nothing is instantiated.

The key that holds the path is the one that the entry's ``metadata`` names (``metadata: {kubeflow: {path_key: folder}}``), or
``filepath`` or ``path``, or the only key called like a place whose value looks like a local path.
"""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

MEMORY_DATASET: Mapping[str, Any] = {"type": "pickle.PickleDataset", "backend": "cloudpickle"}
"""What stores datasets that are in memory only, where nothing else is configured."""
_PATH_KEYS = ("filepath", "path")
_LOCAL_PROTOCOLS = frozenset({"file", "local", "memory"})
_PROTOCOL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+)(::|://)")
_PLACE = re.compile(r"(^|_)(file_?path|file_?name|file|path|folder|dir|directory|location)$")
# Of these the value says whether it is one on a disk.
_PERHAPS = re.compile(r"(^|_)(file|location)$")
# What looks like a path under a key that says nothing of one.
_SURELY_LOCAL = re.compile(r"^(\.{0,2}/|~/|data/|[A-Za-z]:\\)")
# Options, or places that are looked at elsewhere: not where the data are.
_NOT_PLACES = frozenset(
    {"type", "dataset", "metadata", "credentials", "load_args", "save_args", "fs_args", "connection", "versioned"}
)
_CONNECTIONS = frozenset(
    {
        "credentials",
        "connection",
        "con",
        "url",
        "uri",
        "host",
        "endpoint",
        "table",
        "table_name",
        "database",
        "bucket",
        "session",
    }
)
# Kedro's and kedro-mlflow's that live in a database, a service, a tracking server.
_ELSEWHERE = re.compile(
    r"(.*\.)?((SQL|GBQ|Snowpark|SparkHive|SparkJDBC|ManagedTable|ExternalTable|API|HF|Chat|OpenAI|Mongo|Redis)\w*"
    r"|redis\.PickleDataset|Mlflow(Metric|ModelTracking|ModelRegistry)\w*)(Dataset)?$"
)

Key = tuple[str, ...]


def local_path(config: Mapping[str, Any]) -> str | None:
    """The local path of a catalog entry, wrappers looked into; None where it has none or it is remote."""
    holder = path_holder(config)
    key = _path_key(holder)
    if not key:
        return None
    path = str(_at(holder, key))
    return path if _is_local(path) else None


def repoint(config: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The same catalog entry with its local path replaced."""
    changed = copy.deepcopy(dict(config))
    holder = path_holder(changed)
    *outer, last = _path_key(holder)
    _at(holder, tuple(outer))[last] = path
    return changed


def unknown_place(config: Mapping[str, Any]) -> str | None:
    """The keys by which an entry may keep its data on this machine, where it cannot be told that it does or does not.

    None where the place is known: a local path, a URL, a connection, a type that lives elsewhere.
    """
    holder = path_holder(config)
    if _path_key(holder) or _lives_elsewhere(holder):
        return None
    found = [*_places(holder), *(key for key, text in _texts(holder) if _SURELY_LOCAL.match(text))]
    return ", ".join(".".join(key) for key in dict.fromkeys(found)) or None


def on_volume(path: str, folder: str) -> str | None:
    """Where a local path lies on the run's volume, relative to its root; None where it is outside of the shared folder.

    >>> on_volume("./data/01_raw/a.csv", "data")
    'data/01_raw/a.csv'
    """
    plain = posixpath.normpath(path.replace("\\", "/"))
    return plain if plain == folder or plain.startswith(f"{folder}/") else None


def path_holder(config: Any) -> Any:
    """The mapping that has the path: the entry itself, or the dataset that a wrapper wraps."""
    inner = config.get("dataset")
    if isinstance(inner, Mapping) and not _path_key(config):
        return path_holder(inner)
    return config


def _path_key(config: Mapping[str, Any]) -> Key:
    """The keys that lead to the path; none where there is none, or more than one that could be it."""
    named = _named_key(config)
    if named and isinstance(_at(config, named), str):
        return named
    plain = next((key for key in _PATH_KEYS if isinstance(config.get(key), str)), None)
    if plain:
        return (plain,)
    if _ELSEWHERE.match(str(config.get("type", ""))):
        return ()
    places = list(_places(config))
    return places[0] if len(places) == 1 else ()


def _named_key(config: Mapping[str, Any]) -> Key:
    """``metadata.kubeflow.path_key``, dots leading into mappings."""
    metadata = config.get("metadata")
    ours = metadata.get("kubeflow") if isinstance(metadata, Mapping) else None
    name = ours.get("path_key") if isinstance(ours, Mapping) else None
    return tuple(str(name).split(".")) if name else ()


def _places(config: Mapping[str, Any]) -> Iterator[Key]:
    """Keys called like a place, with a value that looks like a local path."""
    for key, text in _texts(config):
        looks_so = not _PERHAPS.search(key[-1]) or re.search(r"[/\\]|\.\w{1,8}$|^\.{1,2}$", text)
        if text and _PLACE.search(key[-1]) and _is_local(text) and looks_so:
            yield key


def _lives_elsewhere(config: Mapping[str, Any]) -> bool:
    remote = any(not _is_local(text) for _, text in _texts(config))
    return remote or bool(_CONNECTIONS & config.keys()) or bool(_ELSEWHERE.match(str(config.get("type", ""))))


def _texts(config: Mapping[str, Any], prefix: Key = ()) -> Iterator[tuple[Key, str]]:
    for key, value in config.items():
        if str(key) in _NOT_PLACES:
            continue
        if isinstance(value, Mapping):
            yield from _texts(value, (*prefix, str(key)))
        elif isinstance(value, str) and "\n" not in value:
            yield (*prefix, str(key)), value


def _is_local(path: str) -> bool:
    match = _PROTOCOL.match(path)
    return not (match and (match.group(2) == "::" or match.group(1).lower() not in _LOCAL_PROTOCOLS))


def _at(config: Any, key: Key) -> Any:
    for part in key:
        config = config.get(part) if isinstance(config, Mapping) else None
    return config
