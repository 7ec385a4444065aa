"""Kedro's nodes as plain values: their names, what they read and write, how they are marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kedro.pipeline import Pipeline


@dataclass(frozen=True)
class NodeFacts:
    """What is known of a Kedro node.

    Attributes:
        inputs: dataset and parameter names as the node declares them, transcoding included.
        outputs: likewise.
        pipelines: the registered pipelines that hold the node, ``__default__`` left out, sorted.
        confirms: the datasets that it confirms.
        aliases: dataset that it reads, by its base name → the dataset under whose name the same file is written.
        begins: dataset that it writes, by its base name → the dataset under whose name the same file was written before; empty
            where it was there already, and read.
    """

    name: str
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    namespace: str | None = None
    pipelines: tuple[str, ...] = ()
    confirms: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    begins: tuple[tuple[str, str], ...] = ()

    @property
    def datasets(self) -> list[str]:
        """What it reads, parameters left out."""
        return [name for name in self.inputs if not is_parameter(name)]


def node_facts(pipeline: Pipeline, registered: Mapping[str, Pipeline] | None = None) -> list[NodeFacts]:
    """The nodes of a Kedro pipeline, in the order in which Kedro would run them."""
    homes: dict[str, list[str]] = {}
    for name, other in sorted((registered or {}).items()):
        if name != "__default__":
            for node in other.nodes:
                homes.setdefault(node.name, []).append(name)
    return [
        NodeFacts(
            name=node.name,
            inputs=tuple(node.inputs),
            outputs=tuple(node.outputs),
            tags=frozenset(node.tags),
            namespace=node.namespace,
            pipelines=tuple(homes.get(node.name, ())),
            confirms=tuple(node.confirms),
        )
        for node in pipeline.nodes
    ]


def union(pipelines: Sequence[Pipeline]) -> Pipeline:
    """The nodes of some pipelines as one; a plain one, as pipelines of a class of their own refuse to be cut.

    Raises:
        ValueError: two of them make the same dataset by different nodes, or have different nodes of one name.
    """
    return Pipeline({node for pipeline in pipelines for node in pipeline.nodes})


def is_parameter(name: str) -> bool:
    """Whether a node input is a parameter rather than a dataset."""
    return name == "parameters" or name.startswith("params:")


def base_name(dataset: str) -> str:
    """A dataset's name without its transcoding (``data@pandas`` → ``data``)."""
    return dataset.split("@", 1)[0]
