"""Data and services that a pod cannot reach: databases in a file, and addresses of this machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from kedro_kubeflow.check.finding import Finding, Level
from kedro_kubeflow.check.subject import Subject
from kedro_kubeflow.entries import on_volume
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.plan.nodes import base_name
from kedro_kubeflow.project.conf import read_section

_DATABASE = re.compile(r"^(?:jdbc:)?(sqlite|duckdb)(?:\+\w+)?:(?://)?/*(.*)$", re.IGNORECASE)
_BACKENDS = ("sqlite", "duckdb")
_HERE = {"localhost", "127.0.0.1", "0.0.0.0", "::1", "host.docker.internal"}  # noqa: S104 - names, nothing is bound


def reach_findings(subject: Subject, credentials: Mapping[str, Any]) -> Iterator[Finding]:
    """Local databases and addresses of this machine in the catalog entries that steps use.

    Args:
        credentials: the project's, by name; nothing of them is shown.
    """
    for name, entry in subject.catalog_entries():
        values = list(_texts(entry or {}, credentials))
        databases = [found for key, text in values if (found := database_in(key, text))]
        handed = subject.scope.handoffs.get(name)
        if databases and handed and handed.kind == "external":
            yield _database(name, *databases[0], subject)
        here = next((key for key, text in values if is_here(text)), None)
        if here:
            yield Finding(
                "local-address",
                "error",
                f"The dataset {name!r} is at an address of this machine, which in a pod is the pod itself",
                f"catalog, dataset {name!r}, {here}",
                "name the address that the cluster reaches it by, in an environment of its own (--env)",
            )


def known_credentials(subject: Subject) -> Mapping[str, Any]:
    """The credentials as far as they can be read here: the variables that they name may be set in pods only."""
    try:
        found = read_section(subject.facts.project.config_loader(), "credentials", missing={})
    except ConfigError:
        return {}
    return dict(found or {})


def database_in(key: str, text: str) -> tuple[str, str] | None:
    """The kind of a database in a file, and its path; empty for one in memory."""
    if key.endswith("backend") and text in _BACKENDS:
        return text, ""
    match = _DATABASE.match(text)
    if not match:
        return None
    return match.group(1).lower(), match.group(2).partition("?")[0].removeprefix(":memory:")


def is_here(text: str) -> bool:
    """Whether a text is a URL, or a host and port, of this machine."""
    address = text.removeprefix("jdbc:")
    if "://" not in address:
        return bool(re.fullmatch(r"(localhost|127\.0\.0\.1)(:\d+)?", address))
    try:
        return urlsplit(address).hostname in _HERE
    except ValueError:
        return False


def _texts(value: Any, credentials: Mapping[str, Any], key: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a catalog entry, with the keys that lead to it; credentials looked up by their name."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            inner = f"{key}.{name}".lstrip(".")
            if name == "credentials" and isinstance(item, str):
                item = credentials.get(item) or {}
            yield from _texts(item, credentials, inner)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, credentials, f"{key}.{index}")
    elif isinstance(value, str):
        yield key, value


def _database(name: str, kind: str, path: str, subject: Subject) -> Finding:
    writer, reader = subject.scope.writers.get(base_name(name)), subject.read_elsewhere(name)
    where = f"catalog, dataset {name!r}" + (f": {path}" if path else "")
    volume = subject.config.run_config.volume
    if volume and path and on_volume(path, volume.folder):
        return Finding("local-database", "info", f"{name!r} is in a {kind} database on the run's volume", where)
    if writer is None:
        first = subject.scope.readers[base_name(name)]
        what = f"{first!r} reads {name!r} from a {kind} database in a file, which the image must hold"
        return Finding("local-database", "warning", what, where, "use a database that pods reach, or a file format")
    level: Level = "error" if reader else "warning"
    lost = f"{reader!r} will not find it there" if reader else "it is gone with the pod"
    return Finding(
        "local-database",
        level,
        f"{writer!r} writes {name!r} to a {kind} database in a file of its pod: {lost}",
        where,
        "use a database that pods reach, or a dataset with a file of its own such as pandas.ParquetDataset, which crosses "
        "from step to step",
    )
