"""Where a catalog entry keeps its data on this machine's disk, and the same entry with another place.

What the plan decides by, and what the runtime changes in a pod; entries are plain configuration, nothing is instantiated.

The key that holds the path is the one that the entry's ``metadata`` names (``metadata: {kubeflow: {path_key: folder}}``), or
``filepath`` or ``path``, or the one that the dataset's class has been found to keep it in (`FOUND`), or the only key called like
a place whose value looks like a local path. What lies elsewhere is known by a URL, a connection, its type, or
``metadata: {kubeflow: {remote: true}}``.
"""

from __future__ import annotations

import copy
import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

FOUND = "place (found)"
"""Beside the keys of an entry: the one that the dataset's class keeps its path in; empty where the class lives elsewhere. No
dataset is given it."""
MEMORY_DATASET: Mapping[str, Any] = {"type": "pickle.PickleDataset", "backend": "cloudpickle"}
"""What stores datasets that are in memory only, where nothing else is configured."""
_PATH_KEYS = ("filepath", "path")
_LOCAL_PROTOCOLS = frozenset({"file", "local", "memory"})
# With one slash too, as Spark writes them (`dbfs:/mnt/x`); a single letter is a drive.
_PROTOCOL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+)(::|:/)")
_PLACE = re.compile(
    r"(^|_)(file_?path|file_?name|fname|file|path|folder|root|dir|dir_?name|dir_?path|directory|location|dest|destination)$"
)
# What is beside the data: a key, a cache, a query.
_BESIDE = re.compile(
    r"(^|_)(key|cert|certificate|credentials?|secret|token|conf|config|schema|cache|te?mp)_\w+$|^remote_"
)
# Of these the value says whether it is one on a disk.
_PERHAPS = re.compile(r"(^|_)(file|location)$")
# What looks like a path under a key that says nothing of one.
_SURELY_LOCAL = re.compile(r"^(\.{0,2}/|~/|data/|[A-Za-z]:\\)")
# Options, or places that are looked at elsewhere: not where the data are.
_NOT_PLACES = frozenset(
    {
        "type",
        "dataset",
        "metadata",
        "credentials",
        "load_args",
        "save_args",
        "fs_args",
        "connection",
        "versioned",
        FOUND,
    }
)
# Ways to something that is not a file; with these two a table may still be a folder of files.
_CONNECTION = re.compile(
    r"(^|_)(credentials|connection|connection_string|conn?|url|uri|dsn|host|hostname|endpoint|session)$|^remote_"
)
# Whatever path stands beside it is one inside of it.
_BUCKET = re.compile(r"(^|_)bucket(_name)?$")
_ADDRESS = re.compile(r"(^|_)(url|uri)$")
_TABLE = re.compile(r"(^|_)(table|table_name|database)$")
# What tells one table, topic or object from another of the same service.
_OBJECT = re.compile(
    r"(^|_)(table|table_name|database|schema|catalog|catalog_name|project|dataset|key|name|collection|collection_name|topic|index"
    r"|bucket|bucket_name|container|url|uri)$"
)
_SCHEMES = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
_DATABASE_FILE = re.compile(r"\.(db|sqlite3?|duckdb)$")
# Kedro's and kedro-mlflow's that live in a database, a service, a tracking server.
_ELSEWHERE = re.compile(
    r"(.*\.)?((SQL|GBQ|Snowpark|SparkHive|SparkJDBC|ManagedTable|ExternalTable|API|HF|Chat|OpenAI|Mongo|Redis|MLRun|Trace)\w*"
    r"|redis\.PickleDataset|Mlflow(Metric|ModelTracking|ModelRegistry)\w*)(Dataset)?$"
)

_PARTITIONS = re.compile(r"(.*\.)?(Partitioned|Incremental)Dataset$")
_MEMORY = re.compile(r"(.*\.)?(SharedMemoryDataset|MemoryDataset)$")

Key = tuple[str, ...]

UNSAID = "nothing in its configuration says where it lies"


def local_path(config: Mapping[str, Any]) -> str | None:
    """The local path of a catalog entry, wrappers looked into; None where it has none or it is remote."""
    holder = path_holder(config)
    key = _path_key(holder)
    if not key:
        return None
    path = str(_at(holder, key))
    return path if is_local(path) else None


def repoint(config: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The same catalog entry with its local path replaced, and with it what lies inside of it, such as a checkpoint."""
    changed = copy.deepcopy(dict(config))
    holder = path_holder(changed)
    *outer, last = _path_key(holder)
    before = posixpath.normpath(str(_at(holder, tuple(outer))[last]).replace("\\", "/"))
    moved: dict[str, Any] = _moved_inside(changed, before, path)
    holder = path_holder(moved)
    _at(holder, tuple(outer))[last] = path
    return moved


def _moved_inside(value: Any, before: str, path: str) -> Any:
    """A value with each path below ``before`` below ``path`` instead, at any depth."""
    if isinstance(value, Mapping):
        return {key: _moved_inside(item, before, path) for key, item in value.items()}
    if not isinstance(value, str) or "/" not in value.replace("\\", "/"):
        return value
    plain = posixpath.normpath(value.replace("\\", "/"))
    return path + plain.removeprefix(before) if plain.startswith(f"{before}/") else value


def unknown_place(config: Mapping[str, Any]) -> str | None:
    """The keys by which an entry may keep its data on this machine, where it cannot be told that it does or does not.

    None where the place is known: a local path, a URL, a connection, a type that lives elsewhere.
    """
    holder = path_holder(config)
    if _path_key(holder) or _is_elsewhere(holder) or is_in_memory(config):
        return None
    found = dict.fromkeys([*_places(holder), *_look_local(holder)])
    if found:
        return ", ".join(".".join(key) for key in found)
    return None if _leads_elsewhere(holder) else UNSAID


def address(config: Mapping[str, Any]) -> str:
    """What is the same for two entries that mean the same data elsewhere; empty where nothing says so.

    >>> address({"type": "a.B", "filepath": "s3a://b//x.csv"}) == address({"type": "c.D", "path": "s3://b/x.csv/"})
    True
    """
    holder = path_holder(config)
    for text in (holder.get(key) for key in _PATH_KEYS):
        if isinstance(text, str) and not is_local(text):
            scheme, mark, rest = re.sub(r"^\w+cache::", "", text).partition("://")
            return f"{_SCHEMES.get(scheme, scheme)}{mark}" + re.sub("/+", "/", rest).rstrip("/")
    if "Mlflow" in str(config.get("type")) or not _is_elsewhere(holder) | _leads_elsewhere(holder):
        return ""
    told = {k: v for k, v in holder.items() if k not in ("type", "metadata", "load_args", "save_args")}
    objects = {k: v for k, v in told.items() if _OBJECT.search(str(k)) or k in _PATH_KEYS}
    where = {k: v for k, v in told.items() if _CONNECTION.search(str(k))}
    return json.dumps({**where, **objects}, sort_keys=True, default=str) if objects else ""


def adds(config: Mapping[str, Any]) -> bool:
    """Whether saving adds to what is there, as far as the entry says so."""
    holder = path_holder(config)
    modes = (
        _at(holder, ("save_args", "mode")),
        _at(holder, ("fs_args", "open_args_save", "mode")),
        holder.get("write_mode"),
    )
    return any(str(mode or "").startswith("a") for mode in modes)


def without_mark(config: Mapping[str, Any]) -> dict[str, Any]:
    """An entry as a dataset can be given it, `FOUND` left out at any depth."""
    return {
        key: without_mark(value) if key == "dataset" and isinstance(value, Mapping) else value
        for key, value in config.items()
        if key != FOUND
    }


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
    if not isinstance(inner, Mapping) or _plain_key(config):
        return config
    # What else the wrapper calls a path, such as the artifact path of kedro-mlflow's, is one only if there is none inside.
    holder = path_holder(inner)
    return holder if _path_key(holder) or not _path_key(config) else config


def _path_key(config: Mapping[str, Any]) -> Key:
    """The keys that lead to the path; none where there is none, or more than one that could be it."""
    if plain := _plain_key(config):
        return plain
    if _is_elsewhere(config):
        return ()
    found = tuple(str(config.get(FOUND) or "").split("."))
    if isinstance(_at(config, found), str):
        return found
    places = list(_places(config))
    if len(places) != 1 or _is_connected(config):
        return ()
    # One setting of several of a service, as of Feast's stores, is not where all of its data are.
    alone = len(places[0]) == 1 or not (_leads_elsewhere(config) or {*_look_local(config)} - {*places})
    return places[0] if alone and not any(part.isdigit() for part in places[0]) else ()


def _plain_key(config: Mapping[str, Any]) -> Key:
    """The key that the entry names itself, or that Kedro's datasets have."""
    named = _named_key(config)
    if named and isinstance(_at(config, named), str):
        return named
    if any(_BUCKET.search(str(key)) for key in config):
        return ()
    return next(((key,) for key in _PATH_KEYS if isinstance(config.get(key), str)), ())


def _named_key(config: Mapping[str, Any]) -> Key:
    """``metadata.kubeflow.path_key``, dots leading into mappings."""
    name = _said(config).get("path_key")
    return tuple(str(name).split(".")) if name else ()


def _said(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the entry's ``metadata`` tells this plugin."""
    ours = _at(config, ("metadata", "kubeflow"))
    return ours if isinstance(ours, Mapping) else {}


def is_place_name(name: str, value: str) -> bool:
    """Whether an option is called like a place on a disk, and its value looks like one."""
    looks_so = not _PERHAPS.search(name) or re.search(r"[/\\]|\.\w{1,8}$|^\.{1,2}$", value)
    named_so = _PLACE.search(name) and not _BESIDE.search(name)
    return bool(value and named_so and is_local(value) and looks_so)


def _places(config: Mapping[str, Any]) -> Iterator[Key]:
    """Keys called like a place, with a value that looks like a local path."""
    return (key for key, text in _texts(config) if is_place_name(key[-1], text))


def _look_local(config: Mapping[str, Any]) -> Iterator[Key]:
    """Keys that say nothing of a place, with a value that does."""
    for key, text in _texts(config):
        looks_so = _SURELY_LOCAL.match(text) or (_DATABASE_FILE.search(text) and is_local(text))
        # A database in a folder, such as LanceDB's, is called by an address that is none.
        named_so = not _CONNECTION.search(key[-1]) or (_ADDRESS.search(key[-1]) and not text.startswith("/"))
        if looks_so and named_so and not _BESIDE.search(key[-1]):
            yield key


def is_in_memory(config: Mapping[str, Any]) -> bool:
    """Whether a dataset lives in the process alone."""
    return bool(_MEMORY.match(str(config.get("type", ""))))


def is_partitioned(config: Mapping[str, Any]) -> bool:
    """Whether the data is a folder of partitions, which may be empty."""
    return bool(_PARTITIONS.match(str(path_holder(config).get("type", ""))))


def is_elsewhere_by_type(type_: str) -> bool:
    """Whether datasets of a type live in a database, a service or a tracking server."""
    return bool(_ELSEWHERE.match(type_))


def _is_elsewhere(config: Mapping[str, Any]) -> bool:
    """Whether it is known, or said, that the data does not lie on this machine."""
    said = _said(config).get("remote") is True or config.get(FOUND) == ""
    in_bucket = any(_BUCKET.search(str(key)) for key in config)
    return said or in_bucket or is_elsewhere_by_type(str(config.get("type", "")))


def _leads_elsewhere(config: Mapping[str, Any]) -> bool:
    """Whether there is a URL, a connection or a table."""
    remote = any(not is_local(text) for _, text in _texts(config))
    return remote or _is_connected(config) or any(_TABLE.search(key) for key in _keys(config))


def _is_connected(config: Mapping[str, Any]) -> bool:
    return any(_CONNECTION.search(key) for key in _keys(config))


def _keys(config: Mapping[str, Any]) -> Iterator[str]:
    for key, value in config.items():
        if key not in ("type", "metadata", "load_args", "save_args"):
            yield str(key)
            if isinstance(value, Mapping):
                yield from _keys(value)


def _texts(config: Mapping[str, Any], prefix: Key = ()) -> Iterator[tuple[Key, str]]:
    for key, value in config.items():
        if str(key) in _NOT_PLACES:
            continue
        if isinstance(value, list):
            value = {str(index): item for index, item in enumerate(value)}
        if isinstance(value, Mapping):
            yield from _texts(value, (*prefix, str(key)))
        elif isinstance(value, str) and "\n" not in value:
            yield (*prefix, str(key)), value


def is_local(path: str) -> bool:
    """Whether a path has no remote protocol."""
    match = _PROTOCOL.match(path)
    return not (match and (match.group(2) == "::" or match.group(1).lower() not in _LOCAL_PROTOCOLS))


def _at(config: Any, key: Key) -> Any:
    for part in key:
        config = config.get(part) if isinstance(config, Mapping) else None
    return config
