"""A dataset of a run as the object that it is, through the dataset class of the catalog's entry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro_kubeflow.entries import local_path, repoint, without_mark
from kedro_kubeflow.errors import ProjectError


def load(dataset: str, entry: Mapping[str, Any] | None, path: Path, *, memory_dataset: Mapping[str, Any]) -> Any:
    """Load what was brought.

    Args:
        dataset: its name, with `@…` where it is transcoded.
        entry: its catalog entry; None where it has none.
        path: where its data lies now.
        memory_dataset: what stores datasets that are in memory only; ``run_config.memory_dataset``.

    Raises:
        ProjectError: the dataset cannot be made or does not load.
    """
    from kedro.io import AbstractDataset

    has_path = entry is not None and local_path(entry) is not None
    config = (
        without_mark(repoint(entry, path.as_posix()))
        if entry is not None and has_path
        else {**memory_dataset, "filepath": path.as_posix()}
    )
    config.pop("metadata", None)
    try:
        return AbstractDataset.from_config(dataset, config).load()
    except Exception as error:
        line = " ".join(str(error).split())
        raise ProjectError(f"The dataset {dataset!r} cannot be loaded: {line}", where=str(path)) from error
