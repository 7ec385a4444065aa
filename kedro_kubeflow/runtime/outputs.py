"""What a step makes beside its datasets' own files: numbers for the UI, pictures, data that nobody reads."""

from __future__ import annotations

import glob
import logging
import math
import numbers
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kedro.io import DatasetError

from kedro_kubeflow.contract import Artifact, StepCall
from kedro_kubeflow.entries import is_partitioned, local_path
from kedro_kubeflow.errors import StepError
from kedro_kubeflow.runtime.catalog import EMPTY_MARK, MODEL_URI, StepCatalog, data_path, memory_entry
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.pictures import picture_of
from kedro_kubeflow.runtime.stored import is_lazy
from kedro_kubeflow.runtime.volume import copy_tree

_log = logging.getLogger(__name__)


class Outputs:
    """Collects a step's outputs as its datasets are saved, and checks at the end that all of them are there."""

    def __init__(self, call: StepCall, executor: Executor) -> None:
        self._call, self._executor = call, executor
        self._by_dataset: dict[str, list[Artifact]] = {}
        self._kept_at: dict[str, Path] = {}
        self._partitioned: set[str] = set()
        self._empty: set[str] = set()
        for artifact in call.outputs:
            self._by_dataset.setdefault(artifact.dataset, []).append(artifact)

    def follow(self, catalog: StepCatalog) -> None:
        """Take note of where the step's catalog keeps each dataset."""
        for name in catalog.listed & catalog.entries.keys():
            entry = catalog.entries[name]
            path = local_path(entry)
            if path is not None:
                self._kept_at[name.split("@", 1)[0]] = Path(path)
            if is_partitioned(entry):
                self._partitioned.add(name.split("@", 1)[0])

    def saved(self, dataset: str, data: Any, catalog: Any) -> None:
        """A dataset was saved: take its numbers, and store it where no catalog entry did."""
        if isinstance(data, Mapping | list | tuple) and not data:
            self._empty.add(dataset.split("@", 1)[0])
        for artifact in self._artifacts(dataset):
            if self._holds_numbers(artifact):
                self._executor.describe(artifact.name, flat_numbers(dataset, data))
            if artifact.how == "memory" and not artifact.required:
                self._store_leftover(artifact, data)
            if artifact.how == "model":
                self._store_model_uri(artifact, catalog[dataset])

    def read_back(self, catalog: Any, datasets: Iterable[str]) -> None:
        """Take the numbers of datasets that other processes have saved."""
        for dataset in datasets:
            for artifact in self._artifacts(dataset):
                if self._holds_numbers(artifact):
                    self._executor.describe(artifact.name, flat_numbers(dataset, catalog.load(dataset)))

    def _artifacts(self, dataset: str) -> Sequence[Artifact]:
        return self._by_dataset.get(dataset.split("@", 1)[0], ())

    def _holds_numbers(self, artifact: Artifact) -> bool:
        return self._executor.output_type(artifact.name) == "system.Metrics"

    def finish(self) -> None:
        """Draw the pictures, name the artifacts, check that every promised output is there.

        Raises:
            StepError: a promised output was not written.
        """
        self._share()
        for artifact in self._call.outputs:
            self._executor.describe(artifact.name, {"display_name": _shown(artifact)})
            path = self._executor.output_path(artifact.name)
            if artifact.how == "file":
                self._deliver(artifact, path)
            if artifact.how == "plot":
                self._draw(artifact, path)
            elif artifact.how == "copy":
                self._copy(artifact, data_path(path, artifact))
            elif artifact.how == "metrics":
                # Kubeflow uploads what an artifact's path holds; numbers live in its metadata alone.
                path.parent.mkdir(parents=True, exist_ok=True)
            elif artifact.required:
                _check_written(artifact, data_path(path, artifact))
            if "cache_key" in self._call.settings and not path.exists():
                # A cache takes a result back only if all of its artifacts are there.
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()

    def _share(self) -> None:
        """Give every name of a file that the step has written under several what the file holds."""
        for artifact in self._call.outputs:
            shared = artifact.how == "file" and artifact.dataset in self._call.settings.get("aliases", {})
            kept = self._kept_at.get(artifact.dataset)
            if shared and kept is not None and kept.exists():
                copy_tree(kept, data_path(self._executor.output_path(artifact.name), artifact))

    def _deliver(self, artifact: Artifact, path: Path) -> None:
        """Put into the artifact what was written under its own name, and mark a folder that stays empty."""
        kept = self._kept_at.get(artifact.dataset)
        shared = artifact.dataset in self._call.settings.get("aliases", {})
        if not artifact.filename and kept is not None and kept != path and kept.exists() and not shared:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(kept, path)
        data = data_path(path, artifact)
        # A dataset of several files, of whatever class, writes none where it is given none.
        unwritten = artifact.dataset in self._empty and artifact.filename and not data.exists()
        if unwritten or (artifact.dataset in self._partitioned and not any(data.glob("*"))):
            data.mkdir(parents=True, exist_ok=True)
            (path / EMPTY_MARK).touch()

    def _store_model_uri(self, artifact: Artifact, dataset: Any) -> None:
        try:
            uri = getattr(dataset, "model_uri", None)
        except DatasetError:
            return  # Nothing was logged, as where tracking is off.
        if uri:
            file = self._executor.output_path(artifact.name) / MODEL_URI
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{uri}\n", "utf-8")
            self._executor.describe(artifact.name, {"model_uri": str(uri)})

    def _copy(self, artifact: Artifact, target: Path) -> None:
        source = self._kept_at[artifact.dataset]
        _check_written(artifact, source)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_tree(source, target)

    def _store_leftover(self, artifact: Artifact, data: Any) -> None:
        """Keep a result that no step reads, if it can be kept: Kedro itself would only have returned it."""
        from kedro.io import AbstractDataset

        if is_lazy(data):
            # Nobody reads it, so that nobody has asked for what working it out may take.
            self._executor.describe(artifact.name, {"not_stored": "it is not worked out before somebody reads it"})
            return
        path = data_path(self._executor.output_path(artifact.name), artifact)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            AbstractDataset.from_config(artifact.dataset, memory_entry(self._call, artifact.dataset, path)).save(data)
        except Exception as error:
            if is_disk_full(error):
                raise
            path.unlink(missing_ok=True)
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            self._executor.describe(artifact.name, {"not_stored": reason})
            _log.warning("The result %r, which no step reads, is not stored: %s", artifact.dataset, reason)

    def _draw(self, artifact: Artifact, path: Path) -> None:
        source = next(c for c in self._by_dataset[artifact.dataset] if c.how in ("file", "copy"))
        page = picture_of(data_path(self._executor.output_path(source.name), source), artifact.dataset)
        if page is None:
            _log.warning("No picture for %r: what it saved is nothing that a browser shows", artifact.dataset)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, "utf-8")


def flat_numbers(name: str, data: Any) -> dict[str, float]:
    """The numbers in a metrics dataset's data, by dotted name; what is no finite number is left out.

    Takes what kedro-datasets' and kedro-mlflow's metrics datasets take: a number, a mapping (also of ``{"value": …,
    "step": …}``), a list of steps, of which the last counts.
    """
    found: dict[str, float] = {}
    for key, value in _numbers(data):
        number = float(value)
        if math.isfinite(number):
            found[key or name] = number
    return found


def _numbers(data: Any, prefix: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(data, bool):
        return
    if isinstance(data, numbers.Real):
        yield prefix, data
    elif isinstance(data, Mapping):
        if "value" in data and set(data) <= {"value", "step", "timestamp"}:
            yield from _numbers(data["value"], prefix)
            return
        for key, value in data.items():
            yield from _numbers(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(data, list | tuple) and data:
        yield from _numbers(data[-1], prefix)


def _shown(artifact: Artifact) -> str:
    return f"{artifact.dataset} (picture)" if artifact.how == "plot" else artifact.dataset


def _check_written(artifact: Artifact, path: Path) -> None:
    # Some datasets write many files where the catalog has a pattern.
    if not path.exists() and not (glob.has_magic(path.name) and any(path.parent.glob(path.name))):
        raise StepError(
            f"The step has to write the dataset {artifact.dataset!r} for later steps, and nothing is there",
            where=str(path),
            cure="it was saved without an error, but to another place than the path of its catalog entry: look at the dataset's "
            "`save`; a dataset that a hook puts into the catalog in its place is to be declared in catalog.yml",
        )


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, is a full disk or quota."""
    import errno

    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or error.__context__
    return False
