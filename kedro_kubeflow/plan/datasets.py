"""How each dataset gets from the step that makes it to the steps that read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from kedro_kubeflow.plan.handoff import Handoff
from kedro_kubeflow.plan.nodes import base_name
from kedro_kubeflow.plan.scope import Scope
from kedro_kubeflow.plan.steps import Step

How = Literal["artifact", "volume", "remote", "memory", "raw"]


@dataclass(frozen=True, kw_only=True)
class PlannedDataset:
    """How a dataset gets from where it is made to where it is read.

    Attributes:
        how: ``artifact``: through KFP; ``volume``: on the volume that the steps share; ``remote``: every step reaches it by
            itself; ``memory``: it does not leave its step; ``raw``: no step makes it, and the image must hold it.
        made_by: the step's display name; None where no step makes it.
        read_by: likewise.
        stored_as: the type of its catalog entry, or what stores data that is in memory only.
        path: its local path in the catalog.
    """

    dataset: str
    how: How
    made_by: str | None
    read_by: tuple[str, ...]
    stored_as: str
    path: str = ""


def datasets_of(scope: Scope, steps: Sequence[Step], memory_type: str) -> Iterator[PlannedDataset]:
    """Every dataset of the steps, in the order in which it is first read or made.

    Args:
        memory_type: the type of what stores data that is in memory only.
    """
    made_by, read_by = _flow(steps)
    used_as = {base_name(d): d for d in reversed(list(scope.entries))}
    used_as |= {base_name(d): d for step in steps for node in step.nodes for d in node.outputs}
    for dataset in dict.fromkeys([*read_by, *made_by]):
        handed, entry = scope.handoffs[used_as[dataset]], scope.entries[used_as[dataset]]
        how = _how(handed, made_by.get(dataset), read_by.get(dataset, []))
        stored_as = str((entry or {}).get("type", "")) if handed.kind != "memory" else memory_type
        yield PlannedDataset(
            dataset=dataset,
            how=how,
            made_by=made_by.get(dataset),
            read_by=tuple(read_by.get(dataset, ())),
            stored_as="" if how == "memory" else stored_as,
            path=handed.path,
        )


def _flow(steps: Sequence[Step]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Dataset → the step that makes it, and the steps that read it, in the order of the steps."""
    made_by: dict[str, str] = {}
    read_by: dict[str, list[str]] = {}
    for step in steps:
        for dataset in _read(step):
            read_by.setdefault(dataset, []).append(step.display_name)
        made_by |= {base_name(d): step.display_name for node in step.nodes for d in node.outputs}
    return made_by, read_by


def _read(step: Step) -> list[str]:
    return list(dict.fromkeys(base_name(d) for node in step.nodes for d in node.datasets))


def _how(handed: Handoff, made_by: str | None, read_by: Sequence[str]) -> How:
    if handed.kind == "external":
        return "remote"
    if made_by is None:
        return "memory" if handed.kind == "memory" else "raw"
    if handed.kind == "volume":
        return "volume"
    if handed.kind == "memory" and read_by and set(read_by) == {made_by}:
        return "memory"
    return "artifact"
