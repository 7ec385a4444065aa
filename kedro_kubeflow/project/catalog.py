"""The project's catalog: the configuration behind each dataset's name, factories resolved. Nothing is instantiated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.conf import one_line, read_section
from kedro_kubeflow.project.dataset_class import placed

Entry = Mapping[str, Any] | None
"""A catalog entry; None where the catalog does not know the dataset."""

_CREDENTIALS = "credentials"
_SHELVED = "credentials (shelved)"
_WHERE = "conf, catalog*.yml"


class CatalogEntries(Mapping[str, Entry]):
    """The entry of any dataset, by the name by which a node uses it; credentials are left as they are written.

    Each is resolved when it is first asked for, as a factory makes one of any name; the length counts those.
    """

    def __init__(self, raw: Mapping[str, Any]) -> None:
        """Check what the catalog's files say.

        Raises:
            ConfigError: an entry is no dataset's configuration.
        """
        for name, entry in raw.items():
            if not isinstance(entry, Mapping) or "type" not in entry:
                raise ConfigError(
                    f"The catalog entry {name!r} has no `type`",
                    where=_WHERE,
                    cure="say what dataset it is, such as `type: pandas.CSVDataset`",
                )
        self._raw = raw
        self._known: dict[str, dict[str, Any] | None] = {}

    def __getitem__(self, name: str) -> dict[str, Any] | None:
        """One entry.

        Raises:
            ConfigError: it cannot be resolved.
        """
        if name not in self._known:
            try:
                self._known[name] = _entry(self._resolver, name)
            except Exception as error:
                raise ConfigError(f"The catalog cannot be resolved: {one_line(error)}", where=_WHERE) from error
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def of(self, datasets: Iterable[str]) -> dict[str, dict[str, Any] | None]:
        """The entries of some datasets, by name.

        Raises:
            ConfigError: one cannot be resolved.
        """
        return {name: self[name] for name in dict.fromkeys(datasets)}

    @cached_property
    def _resolver(self) -> Any:
        from kedro.io import CatalogConfigResolver

        return CatalogConfigResolver(config=_shelve(self._raw), default_runtime_patterns={})


def read_catalog(loader: Any) -> CatalogEntries:
    """The project's catalog.

    Raises:
        ConfigError: it cannot be read, or an entry is no dataset's configuration.
    """
    return CatalogEntries(read_section(loader, "catalog", missing={}) or {})


def _entry(resolver: Any, name: str) -> dict[str, Any] | None:
    if name in resolver.config:
        return placed(_unshelve(resolver.config[name]))
    if resolver.match_dataset_pattern(name) or resolver.match_user_catch_all_pattern(name):
        return placed(_unshelve(resolver.resolve_pattern(name)))
    return None


def _shelve(value: Any) -> Any:
    """Hide the key from Kedro's resolver, which would look credentials up that only pods have."""
    if isinstance(value, Mapping):
        return {(_SHELVED if key == _CREDENTIALS else key): _shelve(item) for key, item in value.items()}
    return [_shelve(item) for item in value] if isinstance(value, list) else value


def _unshelve(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {(_CREDENTIALS if key == _SHELVED else key): _unshelve(item) for key, item in value.items()}
    return [_unshelve(item) for item in value] if isinstance(value, list) else value
