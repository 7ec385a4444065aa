"""A part of a pipeline, chosen as ``kedro run`` chooses it.

https://docs.kedro.org/en/stable/build/slice_a_pipeline/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kedro_kubeflow.errors import CompileError, ProjectError, did_you_mean
from kedro_kubeflow.plan.grouping import NodeFacts, base_name
from kedro_kubeflow.plan.handoff import handoff
from kedro_kubeflow.plan.nodes import is_parameter, node_facts, union
from kedro_kubeflow.project.opening import find_pipeline
from kedro_kubeflow.request import Slice


def select(names: Sequence[str], part: Slice, registered: Mapping[str, Any]) -> Any:
    """The union of some registered pipelines, and of that a part: a Kedro pipeline.

    Raises:
        ProjectError: a pipeline does not exist, they do not fit together, or nothing is left.
    """
    whole = _whole(names, registered)
    if not part:
        return whole
    try:
        return whole.filter(
            node_names=part.nodes,
            from_nodes=part.from_nodes,
            to_nodes=part.to_nodes,
            from_inputs=part.from_inputs,
            to_outputs=part.to_outputs,
            tags=part.tags,
            node_namespaces=list(part.namespaces),
        )
    except ValueError as error:
        raise _refused(whole, part, "+".join(names), error) from error


def check_inputs(nodes: Sequence[NodeFacts], entries: Mapping[str, Any], registered: Mapping[str, Any]) -> None:
    """Refuse a part that needs data which exists in memory only, while another pipeline's or part's node makes it.

    Args:
        nodes: the nodes that will run.
        entries: their catalog entries.
        registered: every pipeline of the project.

    Raises:
        CompileError: names each such dataset and the nodes that would make it.
    """
    made = {base_name(d) for node in nodes for d in node.outputs}
    readers = {
        base_name(d): node.name
        for node in nodes
        for d in node.inputs
        if not is_parameter(d) and base_name(d) not in made and _must_be_made(d, entries[d])
    }
    if not readers:
        return
    makers = _makers(readers, registered)
    lines = [
        f"  {dataset!r}, which {readers[dataset]!r} reads and {maker!r} would make"
        for dataset, maker in sorted(makers.items())
    ]
    if lines:
        raise CompileError(
            "\n".join(["What is selected needs data that exists in memory only while a whole pipeline runs:", *lines]),
            cure=f"select {', '.join(sorted(set(map(repr, makers.values()))))} too, or declare the data in the catalog",
        )


def _must_be_made(dataset: str, entry: Mapping[str, Any] | None) -> bool:
    # A MemoryDataset may be given its data in the catalog.
    return handoff(dataset, entry).kind == "memory" and "data" not in (entry or {})


def _whole(names: Sequence[str], registered: Mapping[str, Any]) -> Any:
    found = [find_pipeline(name, registered) for name in names]
    try:
        return union(found)
    except Exception as error:
        raise ProjectError(
            f"The pipelines {' and '.join(map(repr, names))} do not fit together: {error}", cure="run them one by one"
        ) from error


def _makers(datasets: Iterable[str], registered: Mapping[str, Any]) -> dict[str, str]:
    wanted = set(datasets)
    facts = (node for pipeline in registered.values() for node in node_facts(pipeline))
    return {base_name(d): node.name for node in facts for d in node.outputs if base_name(d) in wanted}


def _refused(whole: Any, part: Slice, name: str, error: ValueError) -> ProjectError:
    """Say which name is unknown; Kedro's own words where all are known."""
    known = {
        "nodes": {node.name for node in whole.nodes},
        "datasets": set(whole.datasets()),
        "tags": {tag for node in whole.nodes for tag in node.tags},
        "namespaces": {node.namespace for node in whole.nodes if node.namespace},
    }
    for option, kind in _KINDS.items():
        for given in getattr(part, option):
            if not _is_known(given, known[kind]):
                return ProjectError(
                    f"The pipeline {name!r} has no {kind.removesuffix('s')} {given!r}. {did_you_mean(given, known[kind])}",
                    where=f"--{option.replace('_', '-')}",
                )
    return ProjectError(
        f"Nothing of the pipeline {name!r} is selected: {str(error).splitlines()[0]}",
        where=str(part),
        cure="only nodes that fit every one of these conditions run; drop one of them",
    )


_KINDS = {
    "nodes": "nodes",
    "from_nodes": "nodes",
    "to_nodes": "nodes",
    "from_inputs": "datasets",
    "to_outputs": "datasets",
    "tags": "tags",
    "namespaces": "namespaces",
}


def _is_known(name: str, known: Iterable[str]) -> bool:
    # A dataset goes by its name without transcoding too, and a namespace stands for those inside it.
    return any(name == other or name == base_name(other) or other.startswith(f"{name}.") for other in known)
