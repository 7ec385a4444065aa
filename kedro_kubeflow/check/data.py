"""Data that steps would not find, or not give to each other."""

from __future__ import annotations

import fnmatch
import glob
import itertools
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from kedro_kubeflow.check.finding import Finding, Level
from kedro_kubeflow.check.subject import Subject
from kedro_kubeflow.entries import adds, local_path
from kedro_kubeflow.plan.aliases import plain_path
from kedro_kubeflow.plan.nodes import base_name
from kedro_kubeflow.project.dataset_class import is_opened_in_place, takes_metadata
from kedro_kubeflow.project.dockerignore import DockerIgnore
from kedro_kubeflow.project.own_hooks import has_hook


@dataclass(frozen=True)
class Local:
    """A dataset at a local path.

    Attributes:
        path: as the catalog has it, without its protocol; relative to the project, or absolute.
        on_volume: whether it lies on the volume that a run's steps share.
    """

    dataset: str
    path: str
    written_by: str | None
    read_by: str | None
    on_volume: bool


def data_findings(subject: Subject) -> Iterator[Finding]:
    """Raw data that the image must hold, data that nobody makes, and names that share a path."""
    local = _local_datasets(subject)
    ignore = DockerIgnore.read(subject.facts.project.path)
    for dataset in local:
        if dataset.written_by is None:
            yield _raw(dataset, subject, ignore)
    yield from _not_made(subject)
    yield from _shared_paths(local, subject)
    yield from _unknown_places(subject)
    yield from _opened_in_place(subject)
    yield from _checkpoints(subject)
    yield from _additions(subject)


def _local_datasets(subject: Subject) -> list[Local]:
    writers, readers = subject.scope.writers, subject.scope.readers
    found: dict[str, Local] = {}
    for name in subject.scope.every_entry:
        handed, base = subject.scope.handoffs[name], base_name(name)
        if handed.kind in ("file", "volume") and base not in found:
            found[base] = Local(
                dataset=base,
                path=plain_path(handed, subject.facts.project.path.as_posix()),
                written_by=writers.get(base),
                read_by=readers.get(base),
                on_volume=handed.kind == "volume",
            )
    return list(found.values())


def _raw(dataset: Local, subject: Subject, ignore: DockerIgnore) -> Finding:
    """What to say of a local file that no step makes."""
    where = f"catalog, dataset {dataset.dataset!r}: {dataset.path}"
    volume = subject.config.run_config.volume
    if dataset.on_volume and volume and volume.skip_init:
        return Finding(
            "raw-data-on-empty-volume",
            "error",
            f"No step makes {dataset.dataset!r}, and with `skip_init` the run's volume starts without it",
            where,
            "drop `skip_init`, or keep the data elsewhere",
        )
    if posixpath.isabs(dataset.path):
        what = f"The image, or a volume, must hold {dataset.dataset!r} at {dataset.path}: no step makes it"
        return Finding("raw-data", "info", what, where)
    rule = ignore.excludes(dataset.path)
    if rule:
        return Finding(
            "raw-data-ignored",
            _unless_mounted("error", subject),
            f"The image will not hold {dataset.dataset!r}: {ignore.name} keeps {dataset.path} out ({rule.text!r})",
            where,
            f"let it in with a line !{dataset.path}, keep the data remote, or mount a volume there",
        )
    if not (subject.facts.project.path / dataset.path).exists():
        return Finding(
            "raw-data-missing",
            _unless_mounted("warning", subject),
            f"The image must hold {dataset.dataset!r}, as no step makes it, and it is not here either: {dataset.path}",
            where,
            "put it there before the image is built, keep it remote, or mount a volume there",
        )
    what = f"The image must hold {dataset.dataset!r} at {dataset.path}: no step makes it"
    return Finding("raw-data", "info", what, where)


def _unless_mounted(level: Level, subject: Subject) -> Level:
    """A claim that is mounted may hold the data."""
    mounted = (v for volumes in subject.config.run_config.extra_volumes.values() for v in volumes or ())
    return "info" if any(v.volume.persistent_volume_claim for v in mounted) else level


def _not_made(subject: Subject) -> Iterator[Finding]:
    """Data in memory that nothing puts there."""
    made, entries = subject.scope.writers, subject.scope.every_entry
    for name, node in subject.scope.readers.items():
        entry = entries.get(name)
        if name in made or name not in subject.scope.handoffs or subject.scope.handoffs[name].kind != "memory":
            continue
        if "data" not in (entry or {}):
            yield Finding(
                "not-made",
                "warning" if has_hook("after_catalog_created") else "error",
                f"The catalog has no {name!r}, and no node makes it",
                f"node {node!r}",
                "declare it in the catalog, or mend the node's input; a hook of the project may also put it there",
            )


def _shared_paths(local: Sequence[Local], subject: Subject) -> Iterator[Finding]:
    """Datasets that a step writes under one name, and another reads under a second one."""
    for writer, other in _overlaps(local):
        if writer.written_by is not None and other.written_by is None:
            yield _unseen(writer, other, first=subject.comes_first(other.dataset, writer.written_by))
        elif writer.written_by and writer.path != other.path and PurePosixPath(other.path).is_relative_to(writer.path):
            yield _lacking(writer, other)


def _overlaps(local: Sequence[Local]) -> Iterator[tuple[Local, Local]]:
    """Pairs, both ways round, of datasets at one path, or one inside the folder that is the other."""
    by_path: dict[str, list[Local]] = {}
    for dataset in local:
        by_path.setdefault(dataset.path, []).append(dataset)
    for same in by_path.values():
        yield from itertools.permutations(same, 2)
    for inner in local:
        for folder in map(str, PurePosixPath(inner.path).parents):
            for outer in by_path.get(folder, ()):
                yield outer, inner
                yield inner, outer
    for pattern in (d for d in local if glob.has_magic(d.path)):
        yield from ((d, pattern) for d in local if d.path != pattern.path and fnmatch.fnmatchcase(d.path, pattern.path))


def _lacking(folder: Local, inner: Local) -> Finding:
    """What to say of a file that is written into a folder that is written as well."""
    shared = folder.on_volume and inner.on_volume
    return Finding(
        "same-path",
        "error" if (folder.read_by or inner.read_by) and not shared else "warning",
        f"{inner.dataset!r} is written to {inner.path}, inside of {folder.dataset!r}, which is written too; each step sees its "
        "own",
        f"catalog, datasets {folder.dataset!r} and {inner.dataset!r}",
        "give each a path of its own",
    )


def _unseen(writer: Local, reader: Local, *, first: bool) -> Finding:
    """What to say of what nobody writes by its own name.

    Args:
        first: whether all who read it come before the one who writes.
    """
    where = f"catalog, datasets {writer.dataset!r} and {reader.dataset!r}"
    met = f"{reader.read_by!r} reads {reader.dataset!r} from {reader.path}, where {writer.written_by!r} writes {writer.dataset!r}"
    if first or writer.path == reader.path:
        # Read after it is written, one path would be one dataset with the other.
        what = f"{met}, and comes first: it reads what the image holds"
        return Finding("same-path", "warning", what, where, "use one name for both if it is to read what is written")
    if writer.on_volume and reader.on_volume:
        return Finding("same-path", "warning", f"{met}: nothing says which comes first", where, _ONE_NAME)
    return Finding("same-path", "error", f"{met}: that file stays in the pod that writes it", where, _ONE_NAME)


def _unknown_places(subject: Subject) -> Iterator[Finding]:
    """Data that one node writes and another reads, and that may lie on the disk of a pod."""
    scope = subject.scope
    for name, handed in scope.handoffs.items():
        reader = subject.read_elsewhere(name) if handed.doubt else None
        if reader is None:
            continue
        entry = scope.every_entry.get(name) or {}
        lacks = "" if takes_metadata(entry) else f"; {entry.get('type')} must take an argument `metadata` for either"
        yield Finding(
            "place-unknown",
            "error",
            f"{scope.writers[base_name(name)]!r} writes {name!r} and {reader!r} reads it, and it cannot be told whether it lies "
            f"on the disk of the pod that writes it ({handed.doubt})",
            f"catalog, dataset {name!r}",
            f"{_place_said(handed.doubt)}, or that every pod reaches it, by a URL or `metadata: {{kubeflow: {{remote: true}}}}`"
            f"{lacks}; or let both nodes share a step (run_config.grouping)",
        )


def _place_said(doubt: str) -> str:
    """How to say where data lies that may lie at several places, of which one can cross."""
    if "," in doubt:
        return "keep all of it in one folder, and say which key is that, as in `metadata: {kubeflow: {path_key: KEY}}`"
    return "say which key is its local path, as in `metadata: {kubeflow: {path_key: KEY}}`"


def _opened_in_place(subject: Subject) -> Iterator[Finding]:
    """Stores that nodes are given a handle of: what one changes by it, no other step would see."""
    for name, handed in subject.scope.handoffs.items():
        entry = subject.scope.every_entry.get(name)
        here = handed.kind == "file" or (handed.kind == "external" and handed.doubt)
        if entry is None or not here or base_name(name) in subject.scope.writers:
            continue
        readers = subject.readers(name)
        where = f"catalog, dataset {name!r}" + (f": {handed.path}" if handed.path else "")
        if not is_opened_in_place(entry):
            continue
        if len(readers) == 1:
            yield Finding(
                "opened-in-place",
                "warning",
                f"{readers[0]!r} opens {name!r} where it lies: what it changes there is lost with the pod",
                where,
                _KEPT,
            )
        else:
            yield Finding(
                "opened-in-place",
                "error",
                f"{readers[0]!r} and {readers[1]!r} both open {name!r} where it lies, each in a pod of its own: what one of them "
                "changes, the other does not see",
                where,
                f"let them share a step (run_config.grouping); {_KEPT}",
            )


def _checkpoints(subject: Subject) -> Iterator[Finding]:
    """What incremental datasets have got to, kept in a file that is lost with the pod."""
    for node in subject.scope.every_node:
        for name in node.confirms:
            entry = subject.scope.every_entry.get(name)
            checkpoint = (entry or {}).get("checkpoint")
            place = checkpoint.get("filepath", "") if isinstance(checkpoint, Mapping) else checkpoint or ""
            if entry is not None and local_path(entry) is not None and "://" not in str(place):
                yield Finding(
                    "checkpoint-lost",
                    "warning",
                    f"{node.name!r} confirms {name!r}, whose checkpoint is a file that is lost with the pod: the next run begins "
                    "anew",
                    f"catalog, dataset {name!r}",
                    "keep the checkpoint in an object store (`checkpoint: {filepath: s3://…}`), or on a volume",
                )


def _additions(subject: Subject) -> Iterator[Finding]:
    """Files that a run adds to: those of `kedro run` hold what earlier runs have added."""
    for name, writer in ((d, node.name) for node in subject.scope.every_node for d in node.outputs):
        entry, handed = subject.scope.every_entry.get(name), subject.scope.handoffs[name]
        if entry and handed.kind == "file" and adds(entry):
            yield Finding(
                "addition-lost",
                "warning",
                f"{writer!r} adds to {name!r}, a file that each run has for itself: what earlier runs have added is not in it",
                f"catalog, dataset {name!r}: {handed.path}",
                "keep it in a database, a table in an object store (Delta), or on a volume",
            )


_KEPT = "keep it on the run's volume (run_config.volume), or on a server"
_ONE_NAME = "use one name for both, or name@… for two ways to load it"
