"""The rules that go by what the project says of its nodes: namespace, tag, pipeline."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from kedro_kubeflow.errors import CompileError, did_you_mean
from kedro_kubeflow.plan.grouping.group import Group
from kedro_kubeflow.plan.nodes import NodeFacts


def by_node(nodes: Sequence[NodeFacts]) -> list[Group]:
    """A step a node."""
    return [Group(node.name, (node.name,)) for node in nodes]


def all_together(nodes: Sequence[NodeFacts]) -> list[Group]:
    """One step for everything."""
    return _by_key(nodes, lambda _: "all", "nodes")


def by_namespace(nodes: Sequence[NodeFacts], depth: int = 1) -> list[Group]:
    """A step for each namespace, cut at a depth; nodes without one stay alone.

    Args:
        depth: how many parts of ``a.b.c`` count: with 1, all of ``a`` share a step.
    """

    def namespace(node: NodeFacts) -> str | None:
        return ".".join(node.namespace.split(".")[:depth]) if node.namespace else None

    return _by_key(nodes, namespace, "namespace")


def by_tag(nodes: Sequence[NodeFacts], prefix: str = "group.") -> list[Group]:
    """A step for each tag with a prefix, called as the rest of the tag; nodes without one stay alone.

    Raises:
        CompileError: a node has two such tags.
    """

    def tag(node: NodeFacts) -> str | None:
        found = sorted(t.removeprefix(prefix) for t in node.tags if t.startswith(prefix) and t != prefix)
        return _only(node, found, f"by its tags ({prefix}…)", "leave the node one such tag")

    return _by_key(nodes, tag, "tag")


def by_pipeline(
    nodes: Sequence[NodeFacts], registered: Mapping[str, Collection[str]], chosen: Collection[str] = ()
) -> list[Group]:
    """A step for each registered pipeline.

    A pipeline that is put together from others holds their nodes too; the one that holds a node and contains no other
    that does is the node's own.

    Args:
        registered: names of all nodes of each registered pipeline.
        chosen: the only ones that count; all but ``__default__`` where it is empty.

    Raises:
        CompileError: a node is in two of them, neither of which contains the other, or a chosen one does not exist.
    """
    for name in chosen:
        if name not in registered:
            raise CompileError(
                f"The project has no pipeline {name!r}. {did_you_mean(name, registered)}",
                where="kubeflow.yml, run_config.grouping.pipelines",
            )
    holds = {name: frozenset(registered[name]) for name in (chosen or sorted(set(registered) - {"__default__"}))}
    wider = {name: {other for other, more in holds.items() if nodes_in < more} for name, nodes_in in holds.items()}

    def pipeline(node: NodeFacts) -> str | None:
        homes = [name for name, names in holds.items() if node.name in names]
        found = [name for name in homes if not any(name in wider[other] for other in homes)]
        cure = "say which pipelines count, in run_config.grouping.pipelines of kubeflow.yml"
        return _only(node, found, "by its pipelines", cure)

    return _by_key(nodes, pipeline, "pipeline")


def _only(node: NodeFacts, found: Sequence[str], how: str, cure: str) -> str | None:
    if len(found) > 1:
        names = " and ".join(map(repr, found))
        raise CompileError(f"The node {node.name!r} is in two groups {how}: {names}", cure=cure)
    return found[0] if found else None


def _by_key(nodes: Sequence[NodeFacts], key: Callable[[NodeFacts], str | None], what: str) -> list[Group]:
    """Nodes with one key together, in the order of the first of them; None keeps a node alone, by its own name."""
    members: dict[tuple[bool, str], list[str]] = {}
    for node in nodes:
        group = key(node)
        members.setdefault((False, node.name) if group is None else (True, group), []).append(node.name)
    alone = {name for grouped, name in members if not grouped}
    return [
        # A group that is called as a node that stays alone is still a step of its own.
        Group(f"{name} ({what})" if grouped and name in alone else name, tuple(nodes_of))
        for (grouped, name), nodes_of in members.items()
    ]
