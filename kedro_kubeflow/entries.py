"""Where a catalog entry keeps its data on this machine's disk, and the same entry with another place.

What the plan decides by, and what the runtime changes in a pod; entries are plain configuration, nothing is instantiated.
"""

from __future__ import annotations

import copy
import posixpath
import re
from collections.abc import Mapping
from typing import Any

_PATH_KEYS = ("filepath", "path")
_LOCAL_PROTOCOLS = frozenset({"file", "local", "memory"})


def local_path(config: Mapping[str, Any]) -> str | None:
    """The local path of a catalog entry, wrappers looked into; None where it has none or it is remote."""
    holder = path_holder(config)
    key = _path_key(holder)
    if not key:
        return None
    path = str(holder[key])
    match = re.match(r"^([A-Za-z][A-Za-z0-9+.-]+)(::|://)", path)
    if match and (match.group(2) == "::" or match.group(1).lower() not in _LOCAL_PROTOCOLS):
        return None
    return path


def repoint(config: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The same catalog entry with its local path replaced."""
    changed = copy.deepcopy(dict(config))
    holder = path_holder(changed)
    holder[_path_key(holder)] = path
    return changed


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
    if not _path_key(config) and isinstance(inner, Mapping):
        return path_holder(inner)
    return config


def _path_key(config: Mapping[str, Any]) -> str:
    return next((key for key in _PATH_KEYS if isinstance(config.get(key), str)), "")
