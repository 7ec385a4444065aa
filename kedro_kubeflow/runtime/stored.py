"""What stores data that is in memory only, for the steps that read it; data that only points at files is made whole first."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MethodType
from typing import Any

from kedro.io import AbstractDataset, DatasetError


class Stored(AbstractDataset[Any, Any]):
    """A dataset around the one that ``run_config.memory_dataset`` names."""

    def __init__(self, dataset: dict[str, Any], name: str, metadata: dict[str, Any] | None = None) -> None:
        self._dataset = AbstractDataset.from_config(name, dataset)
        self._name = name
        self.metadata = metadata

    def load(self) -> Any:
        """The data as it was stored."""
        return self._dataset.load()

    def save(self, data: Any) -> None:
        """Store it, made whole.

        Raises:
            DatasetError: it cannot be.
        """
        self._dataset.save(made_whole(data))

    def _describe(self) -> dict[str, Any]:
        return {"dataset": str(self._dataset)}

    def _exists(self) -> bool:
        return self._dataset.exists()


class Partition:
    """A partition that has been loaded, called as the loader of one is."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __call__(self) -> Any:
        """The partition's data."""
        return self._data


def made_whole(data: Any) -> Any:
    """The same data without a file behind it: stored as it is, it would be a path that the next step does not have.

    Raises:
        DatasetError: it is tied to what only this process has, such as a connection.
    """
    if isinstance(data, Mapping) and data and all(is_loader(value) for value in data.values()):
        # A partitioned dataset gives each partition as a function that loads it.
        return {key: Partition(made_whole(load())) for key, load in data.items()}
    if isinstance(data, list | tuple) and type(data) in (list, tuple):
        return type(data)(made_whole(item) for item in data)
    if type(data) is dict:
        return {key: made_whole(item) for key, item in data.items()}
    return of_library(data)


def is_loader(value: Any) -> bool:
    """Whether it is what a partitioned dataset gives for a partition: a dataset's own method."""
    return isinstance(value, MethodType) and isinstance(value.__self__, AbstractDataset)


def is_lazy(data: Any) -> bool:
    """Whether making data whole may be work that nobody has asked for yet."""
    if isinstance(data, Mapping):
        return any(is_loader(value) or is_lazy(value) for value in data.values())
    if type(data) in (list, tuple):
        return any(map(is_lazy, data))
    home = _home(data)
    chunked = home == "xarray" and bool(getattr(data, "chunks", None))
    return chunked or (home == "polars" and type(data).__name__ == "LazyFrame") or _is_of_dask(data)


def of_library(data: Any) -> Any:
    """What a library works out when it is asked to; its module is there if data of its kind is."""
    home = _home(data)
    if home == "xarray" and hasattr(data, "compute"):
        return data.compute()
    if home == "polars" and type(data).__name__ == "LazyFrame":
        return data.collect().lazy()
    if not isinstance(data, type) and any(hasattr(data, name) for name in _TIED.get(home, ())):
        raise DatasetError(
            f"a {type(data).__module__}.{type(data).__name__} is tied to the session or the files that it was made from"
        )
    if _is_of_dask(data):
        return data.persist(scheduler="threads")
    return data


# By what is known that data belongs to a session, a connection, a cluster, or to files of this step.
_TIED = {
    "pyspark": ("sparkSession", "_jdf", "_jrdd", "_java_obj", "_jsc", "_jsparkSession", "_internal"),
    "ibis": ("get_backend", "create_table"),
    "duckdb": ("execute",),
    "pyarrow": ("files",),
    "snowflake": ("session", "_session"),
}


def _home(data: Any) -> str:
    return type(data).__module__.partition(".")[0]


def _is_of_dask(data: Any) -> bool:
    dask = sys.modules.get("dask")
    # What its collections are made of counts as one, and has nothing to work out.
    return dask is not None and bool(dask.is_dask_collection(data)) and hasattr(type(data), "persist")
