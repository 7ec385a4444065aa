"""Whether groups are whole and can run one after the other; what is said where they cannot."""

from __future__ import annotations

import pytest

from kedro_kubeflow.errors import CompileError, CycleError
from kedro_kubeflow.plan.grouping import Group, NodeFacts, by_namespace
from kedro_kubeflow.plan.grouping.order import in_order, members_of


def node(name: str, inputs: str = "", outputs: str = "", namespace: str | None = None) -> NodeFacts:
    return NodeFacts(name, tuple(inputs.split()), tuple(outputs.split()), namespace=namespace)


def by_name(*nodes: NodeFacts) -> dict[str, NodeFacts]:
    return {n.name: n for n in nodes}


def test_members_stand_in_the_order_of_the_pipeline() -> None:
    nodes = by_name(node("a"), node("b"), node("c"))
    assert members_of([Group("x", ("c", "a")), Group("y", ("b",))], nodes) == {"x": ("a", "c"), "y": ("b",)}


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([Group("x", ("a", "b")), Group("y", ("b", "c"))], "'b' is in two groups: 'x' and 'y'"),
        ([Group("x", ("a", "b"))], "No group holds the nodes 'c'"),
        ([Group("x", ("a", "b", "d", "c"))], "names the node 'd'"),
        ([Group("x", ("a",)), Group("x", ("b", "c"))], "Two groups of nodes are called 'x'"),
        ([Group("x", ("a", "b", "c")), Group("y", ())], "'y' has no nodes"),
    ],
)
def test_groups_that_are_no_partition(groups: list[Group], said: str) -> None:
    with pytest.raises(CompileError, match=said):
        members_of(groups, by_name(node("a"), node("b"), node("c")))


def ordered(groups: list[Group], *nodes: NodeFacts) -> list[str]:
    return in_order(members_of(groups, by_name(*nodes)), by_name(*nodes))


def test_an_interrupted_namespace_is_told_by_its_datasets_and_nodes() -> None:
    nodes = (
        node("g.first", "raw", "g.x", "g"),
        node("middle", "g.x", "y"),
        node("g.last", "y", "g.z", "g"),
        node("after", "g.z", "end"),
    )
    with pytest.raises(CycleError) as caught:
        ordered(by_namespace(nodes), *nodes)
    assert str(caught.value).splitlines() == [
        "The steps would wait for each other: 'g' → 'middle' → 'g'",
        "  'g' makes 'g.x' (node 'g.first') and 'middle' reads it (node 'middle')",
        "  'middle' makes 'y' (node 'middle') and 'g' reads it (node 'g.last')",
        "  cure:  let 'g.first' and 'g.last' not share the step 'g', or put what stands between them into it too ('middle')",
    ]


def test_the_shortest_way_round_is_told() -> None:
    nodes = (
        *(node("a1", "", "s p"), node("b1", "s", "t"), node("c1", "t", "u"), node("d1", "u", "v"), node("a2", "v q")),
        *(node("e1", "p", "q"),),
    )
    groups = [Group("a", ("a1", "a2")), *(Group(x, (f"{x}1",)) for x in "bcde")]
    with pytest.raises(CycleError, match=r"'a' → 'e' → 'a'|'e' → 'a' → 'e'"):
        ordered(groups, *nodes)


def test_two_groups_that_cross_each_other() -> None:
    nodes = (node("a1", "", "x"), node("b1", "", "y"), node("b2", "x"), node("a2", "y"))
    with pytest.raises(CycleError) as caught:
        ordered([Group("a", ("a1", "a2")), Group("b", ("b1", "b2"))], *nodes)
    assert "makes 'x' (node 'a1') and 'b' reads it (node 'b2')" in str(caught.value)
    assert "makes 'y' (node 'b1') and 'a' reads it (node 'a2')" in str(caught.value)
    assert "not share the step" in str(caught.value.cure)


def test_the_order_is_the_same_every_time() -> None:
    nodes = [node("end", " ".join(f"d{i}" for i in range(20))), *(node(f"n{i}", "", f"d{i}") for i in range(20))]
    groups = [Group(n.name, (n.name,)) for n in nodes]
    assert ordered(groups, *nodes) == [*(f"n{i}" for i in range(20)), "end"]
