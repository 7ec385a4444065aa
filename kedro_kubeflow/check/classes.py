"""Classes of datasets that steps could not import."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.check.subject import Subject
from kedro_kubeflow.entries import FOUND, is_partitioned
from kedro_kubeflow.errors import did_you_mean
from kedro_kubeflow.project.dataset_source import Lack, arguments_of, lack_of, lacking_import
from kedro_kubeflow.project.required import normal, required

# What Kedro itself takes out of an entry.
_KEDROS = frozenset({"type", "versioned", "version", "validator", FOUND})


def class_findings(subject: Subject) -> Iterator[Finding]:
    """Classes that are not where the catalog says."""
    for name, entry in subject.catalog_entries():
        for type_ in types_of(entry or {}):
            lack = lack_of(type_)
            if lack and not lack.package:
                yield _no_class(name, type_, lack)
        for one in _with_inner(entry or {}):
            yield from _not_taken(name, one)


def package_findings(subject: Subject) -> Iterator[Finding]:
    """What datasets need and what is not installed here, as it need not be, unless the project's requirements name it."""
    lacking: dict[str, tuple[Lack, list[str]]] = {}
    for name, entry in subject.catalog_entries():
        for type_ in types_of(entry or {}):
            lack = lack_of(type_) or lacking_import(type_)
            if lack and lack.package:
                lacking.setdefault(lack.package, (lack, []))[1].append(name)
    named = required(subject.facts.project.path)[0] if lacking else {}
    yield from (_not_here(lack, datasets) for lack, datasets in lacking.values() if not _is_brought(lack, named))


def _not_taken(name: str, entry: Mapping[str, Any]) -> Iterator[Finding]:
    """What an entry says that its class does not take: Kedro cannot make the dataset."""
    type_ = entry.get("type")
    taken = arguments_of(type_) if isinstance(type_, str) else None
    for key in () if taken is None else sorted(entry.keys() - _KEDROS - taken):
        yield Finding(
            "no-such-argument",
            "error",
            f"{type_} takes no {key!r}, which {name!r} gives it: Kedro cannot make the dataset",
            f"catalog, dataset {name!r}, {key}",
            did_you_mean(key, taken or ()),
        )


def types_of(entry: Mapping[str, Any]) -> Iterator[str]:
    """The type of an entry, and of the datasets inside of it."""
    for one in _with_inner(entry):
        if isinstance(one.get("type"), str):
            yield one["type"]
        if isinstance(one.get("dataset"), str) and is_partitioned(one):
            yield one["dataset"]


def _with_inner(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """An entry, and those of the datasets inside of it."""
    yield entry
    if isinstance(inner := entry.get("dataset"), Mapping):
        yield from _with_inner(inner)


def _no_class(name: str, type_: str, lack: Lack) -> Finding:
    return Finding(
        "no-such-class",
        "error",
        f"{name!r} is a {type_}, and {lack.said}",
        f"catalog, dataset {name!r}, type",
        did_you_mean(type_.rpartition(".")[2], lack.known) if lack.known else "mend the type, or its module",
    )


def _not_here(lack: Lack, datasets: Sequence[str]) -> Finding:
    more = f" and {len(datasets) - 1} more" if len(datasets) > 1 else ""
    return Finding(
        "package-not-here",
        "warning",
        f"{datasets[0]!r}{more} need{'s' * (not more)} {lack.package}, which is not installed here: the image must have it",
        f"catalog, dataset {datasets[0]!r}, type",
        f"name it among the project's requirements{f', as kedro-datasets[{lack.extra}] does' if lack.extra else ''}",
    )


def _is_brought(lack: Lack, named: Mapping[str, Collection[str]]) -> bool:
    """Whether the project's requirements ask for it, or for the part of kedro-datasets that does."""
    extras = {"all", lack.extra, lack.extra.partition("-")[0]}
    return normal(lack.package) in named or not extras.isdisjoint(named.get("kedro-datasets", ()))
