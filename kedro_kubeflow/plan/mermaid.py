"""A plan as a flowchart in Mermaid's language (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kedro_kubeflow.plan.datasets import PlannedDataset
from kedro_kubeflow.plan.plan import Plan

# Mermaid takes these inside a quoted label as entities only; # begins one.
_ENTITIES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\\": "#92;"}


def mermaid(plan: Plan) -> str:
    """The steps and the datasets between them; raw and remote data stand beside the steps that use them."""
    return "\n".join(["flowchart TD", *(f"    {line}" for line in _lines(plan))]) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    tasks = {task.name: task.display_name for task in plan.ordered_tasks}
    ids = {shown: f"s{number}" for number, shown in enumerate(tasks.values())}
    nodes = {step.display_name: [node.name for node in step.nodes] for step in plan.steps}
    for shown, box in ids.items():
        yield f'{box}["{_label(shown, nodes.get(shown, []))}"]'
    for number, dataset in enumerate(plan.datasets):
        if dataset.how in ("raw", "remote"):
            yield from _beside(f"d{number}", dataset, ids)
        else:
            yield from _between(dataset, ids)
    linked = {(dataset.made_by, reader) for dataset in plan.datasets for reader in dataset.read_by}
    for name, shown in tasks.items():
        for other in plan.positions[name].waits_for:
            if (tasks[other], shown) not in linked:
                yield f"{ids[tasks[other]]} -.-> {ids[shown]}"


def _beside(box: str, dataset: PlannedDataset, ids: Mapping[str, str]) -> Iterator[str]:
    """Data that stands beside the steps."""
    yield f'{box}[("{_escape(dataset.dataset)}")]'
    if dataset.made_by:
        yield f"{ids[dataset.made_by]} --> {box}"
    for reader in dataset.read_by:
        yield f"{box} --> {ids[reader]}"


def _between(dataset: PlannedDataset, ids: Mapping[str, str]) -> Iterator[str]:
    """Data that goes from one step to others."""
    for reader in dataset.read_by:
        if dataset.made_by and reader != dataset.made_by:
            yield f'{ids[dataset.made_by]} -->|"{_escape(dataset.dataset)}"| {ids[reader]}'


def _label(shown: str, nodes: Sequence[str]) -> str:
    """A task's display name, and below it its nodes where they are not the same."""
    inside = [] if list(nodes) in ([], [shown]) else [f"<i>{_escape(node)}</i>" for node in nodes]
    return "<br/>".join([f"<b>{_escape(shown)}</b>", *inside])


def _escape(text: str) -> str:
    return "".join(_ENTITIES.get(mark, mark) for mark in " ".join(text.split()))
