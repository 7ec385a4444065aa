"""The step's own catalog: what its nodes need, with local data pointed at the artifacts; all else as the project has it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from kedro_kubeflow.contract import Artifact, StepCall
from kedro_kubeflow.entries import MEMORY_DATASET, local_path, repoint
from kedro_kubeflow.errors import ProjectError
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.volume import Volume, copy_tree

Entry = Mapping[str, Any] | None
# Beside the data in an artifact: stores lose empty folders.
EMPTY_MARK = ".empty"
# In the artifact of a model that lies in MLflow: where.
MODEL_URI = "model_uri.txt"


@dataclass(frozen=True)
class StepCatalog:
    """A step's catalog.

    Attributes:
        entries: configuration of each dataset, all that the project has.
        listed: those that the step's nodes use: hooks that go through the whole catalog, as kedro-mlflow's do, see these alone,
            so that a pod does not die of the libraries and credentials of others.
    """

    entries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()


class OwnNames:
    """A folder for data that is the artifact itself, as a page is: while the step runs it goes by its own name."""

    @cached_property
    def _folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="kedro-kubeflow-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def of_output(self, artifact: Artifact, name: str) -> Path:
        """Where an output is written until the step's end."""
        return self._folder / "outputs" / artifact.name / name

    def of_input(self, artifact: Artifact, name: str, path: Path) -> Path:
        """A link to an input."""
        link = self._folder / "inputs" / artifact.name / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(path.absolute())
        return link


def step_catalog(
    whole: Mapping[str, Any],
    used: Mapping[str, Entry],
    call: StepCall,
    executor: Executor,
    *,
    credentials: Iterable[str] = (),
) -> StepCatalog:
    """The catalog configuration of a step: data on the run's volume stays there, the rest is pointed at artifacts.

    Args:
        whole: the project's catalog, factories' patterns too.
        used: the project's own entry of each dataset that the step's nodes use, by the name that they use.
        credentials: the names of those that the pod has.
    """
    own = dict(_own(used, call, executor))
    if in_processes(call):
        return StepCatalog(own, frozenset(own))
    known = set(credentials)
    rest = {name: entry for name, entry in whole.items() if name not in used and named_credentials(entry) <= known}
    volume = Volume.of(call, executor)
    return StepCatalog({**{n: volume.entry(e) if volume else e for n, e in rest.items()}, **own}, frozenset(used))


def _own(used: Mapping[str, Entry], call: StepCall, executor: Executor) -> Iterator[tuple[str, Mapping[str, Any]]]:
    inputs, outputs = _by_dataset(call.inputs), _by_dataset(call.outputs)
    volume, names = Volume.of(call, executor), OwnNames()
    aliases, begins = call.settings.get("aliases", {}), call.settings.get("begins", {})
    for name, entry in used.items():
        base = aliases.get(name.split("@", 1)[0], name.split("@", 1)[0])
        if base in inputs and base not in outputs:
            yield name, _read(name, entry, inputs[base], call, executor, names)
        elif base in outputs:
            if outputs[base].how != "memory" or outputs[base].required or in_processes(call):
                pointed = _written(name, entry, outputs[base], call, executor, names)
                if base in begins:
                    _begin(pointed, inputs.get(begins[base]), entry, executor)
                yield name, pointed
        elif entry is not None:
            placed = volume.entry(entry) if volume else dict(entry)
            _with_folder(placed, volume)
            yield name, placed


def _with_folder(entry: Mapping[str, Any], volume: Volume | None) -> None:
    """Make the folder of data that is no artifact, as a dataset may count on it: images and volumes hold no empty ones."""
    path = local_path(entry)
    ours = path and (not PurePosixPath(path).is_absolute() or (volume and Path(path).is_relative_to(volume.root)))
    if path and ours and "://" not in path:
        with suppress(OSError):  # The image's folder may belong to somebody else.
            Path(path).parent.mkdir(parents=True, exist_ok=True)


def _read(
    name: str, entry: Entry, artifact: Artifact, call: StepCall, executor: Executor, names: OwnNames
) -> dict[str, Any]:
    root = executor.input_path(artifact.name)
    if artifact.how == "model":
        return _with_model(entry, root)
    path = data_path(root, artifact)
    if artifact.how == "memory":
        return _in_memory(name, entry, path, call)
    if not path.exists() and (root / EMPTY_MARK).exists():
        path.mkdir(parents=True)
    own = _own_name(entry)
    if not artifact.filename and own:
        path = names.of_input(artifact, own, path)
    return _pointed(name, entry, path)


def _written(
    name: str, entry: Entry, artifact: Artifact, call: StepCall, executor: Executor, names: OwnNames
) -> dict[str, Any]:
    if artifact.how == "model" and entry is not None:
        return dict(entry)
    path = data_path(executor.output_path(artifact.name), artifact)
    if artifact.how == "memory":
        return _in_memory(name, entry, path, call)
    own = _own_name(entry)
    if not artifact.filename and own:
        path = names.of_output(artifact, own)
    # `kedro run` has the project's folders, and there are datasets that count on them.
    is_folder = str(local_path(entry or {}) or "").endswith(("/", "\\"))
    (path if is_folder else path.parent).mkdir(parents=True, exist_ok=True)
    return _pointed(name, entry, path)


def _begin(pointed: Mapping[str, Any], before: Artifact | None, entry: Entry, executor: Executor) -> None:
    """Put what was there before where an output is written, as whoever writes to a file may add to it."""
    target = Path(str(local_path(pointed)))
    old = data_path(executor.input_path(before.name), before) if before else Path(str(local_path(entry or {})))
    if old.exists() and not target.exists():
        copy_tree(old, target)


def _own_name(entry: Entry) -> str:
    path = local_path(entry) if entry else None
    return PurePosixPath(path.replace("\\", "/")).name if path else ""


def _with_model(entry: Entry, root: Path) -> dict[str, Any]:
    """The entry of a model in MLflow, told where the step that made it has put it."""
    uri = (root / MODEL_URI).read_text("utf-8").strip()
    known = dict(entry or {})
    return {**known, "load_args": {**(known.get("load_args") or {}), "model_uri": uri}}


def data_path(path: Path, artifact: Artifact) -> Path:
    """Where a dataset's data lies: in the artifact's folder under its own name, or the artifact itself."""
    return path / artifact.filename if artifact.filename else path


def in_processes(call: StepCall) -> bool:
    """Whether the step's nodes run in processes of their own: then nothing is in a memory that they share."""
    return len(call.nodes) > 1 and call.settings.get("runner") == "parallel"


def memory_entry(call: StepCall, dataset: str, path: Path) -> dict[str, Any]:
    """The entry that stores a dataset which is in memory only."""
    inner = {**call.settings.get("memory_dataset", MEMORY_DATASET), "filepath": path.as_posix()}
    if inner.get("backend") == "cloudpickle":
        inner["backend"] = "kedro_kubeflow.runtime.whole"
    return {"type": "kedro_kubeflow.runtime.stored.Stored", "name": dataset, "dataset": inner}


def _by_dataset(artifacts: Iterable[Artifact]) -> dict[str, Artifact]:
    return {c.dataset: c for c in artifacts if c.how in ("file", "memory", "model")}


def _in_memory(name: str, entry: Entry, path: Path, call: StepCall) -> dict[str, Any]:
    stored = memory_entry(call, name, path)
    if len(call.nodes) < 2 or in_processes(call):
        return stored
    # Inside a group the data stays in memory, for the nodes that follow in the same process.
    copied = {"copy_mode": entry["copy_mode"]} if entry and entry.get("copy_mode") else {}
    return {"type": "kedro.io.CachedDataset", "dataset": stored, **copied}


def _pointed(name: str, entry: Entry, path: Path) -> dict[str, Any]:
    if entry is None or local_path(entry) is None:
        raise ProjectError(
            f"The catalog in this image has no local file for the dataset {name!r}, as it had where the pipeline was compiled",
            where="conf, catalog*.yml",
            cure="build the image from the code that the pipeline was compiled from",
        )
    return repoint(entry, path.as_posix())


def named_credentials(value: Any) -> set[str]:
    """The credentials that an entry names, at any depth."""
    if not isinstance(value, Mapping):
        return set()
    named = {item for key, item in value.items() if key == "credentials" and isinstance(item, str)}
    return named.union(*(named_credentials(item) for item in value.values()))
