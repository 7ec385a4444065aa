"""A plan as a flowchart in Mermaid's language (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kedro_kubeflow.plan.planned import Plan, PlannedDataset, PlannedStep

# Mermaid takes these inside a quoted label as entities only; # begins one.
_ENTITIES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\\": "#92;"}


def mermaid(plan: Plan) -> str:
    """The steps and the datasets between them; raw and remote data stand beside the steps that use them."""
    return "\n".join(["flowchart TD", *(f"    {line}" for line in _lines(plan))]) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    ids = {step.title: f"s{number}" for number, step in enumerate(plan.steps)}
    for step in plan.steps:
        yield f'{ids[step.title]}["{_label(step)}"]'
    for number, dataset in enumerate(plan.datasets):
        if dataset.how in ("raw", "remote"):
            yield from _beside(f"d{number}", dataset, ids)
        else:
            yield from _between(dataset, ids)
    linked = {(dataset.made_by, reader) for dataset in plan.datasets for reader in dataset.read_by}
    for step in plan.steps:
        for other in step.waits_for:
            if (other, step.title) not in linked:
                yield f"{ids[other]} -.-> {ids[step.title]}"


def _beside(own: str, dataset: PlannedDataset, ids: Mapping[str, str]) -> Iterator[str]:
    """Data that stands beside the steps."""
    yield f'{own}[("{_escape(dataset.dataset)}")]'
    if dataset.made_by:
        yield f"{ids[dataset.made_by]} --> {own}"
    for reader in dataset.read_by:
        yield f"{own} --> {ids[reader]}"


def _between(dataset: PlannedDataset, ids: Mapping[str, str]) -> Iterator[str]:
    """Data that goes from one step to others."""
    for reader in dataset.read_by:
        if dataset.made_by and reader != dataset.made_by:
            yield f'{ids[dataset.made_by]} -->|"{_escape(dataset.dataset)}"| {ids[reader]}'


def _label(step: PlannedStep) -> str:
    """The step's title, and below it its nodes where they are not the same."""
    inside = [] if step.nodes in ((), (step.title,)) else [f"<i>{_escape(node)}</i>" for node in step.nodes]
    return "<br/>".join([f"<b>{_escape(step.title)}</b>", *inside])


def _escape(text: str) -> str:
    return "".join(_ENTITIES.get(mark, mark) for mark in " ".join(text.split()))
