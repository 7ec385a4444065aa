"""Which nodes a rule puts together."""

from __future__ import annotations

from typing import Any

import pytest

from kedro_kubeflow.errors import CompileError
from kedro_kubeflow.plan.grouping import Group, NodeFacts, all_together, by_namespace, by_node, by_pipeline, by_tag


def node(name: str, **more: Any) -> NodeFacts:
    return NodeFacts(name, **more)


def tagged(name: str, *tags: str) -> NodeFacts:
    return node(name, tags=frozenset(tags))


def as_dict(groups: list[Group]) -> dict[str, tuple[str, ...]]:
    assert len({g.name for g in groups}) == len(groups)
    return {g.name: g.nodes for g in groups}


def test_by_node_each_is_alone() -> None:
    assert as_dict(by_node([node("a"), node("b")])) == {"a": ("a",), "b": ("b",)}


def test_all_share_one_step_that_no_node_can_be_taken_for() -> None:
    assert as_dict(all_together([node("a"), node("all")])) == {"all": ("a", "all")}


NAMESPACED = [
    node("a.b.c.n1", namespace="a.b.c"),
    node("alone"),
    node("a.b.d.n2", namespace="a.b.d"),
    node("a.n3", namespace="a"),
    node("other.n4", namespace="other"),
]


@pytest.mark.parametrize(
    ("depth", "groups"),
    [
        (1, {"a": ("a.b.c.n1", "a.b.d.n2", "a.n3"), "alone": ("alone",), "other": ("other.n4",)}),
        (2, {"a.b": ("a.b.c.n1", "a.b.d.n2"), "a": ("a.n3",), "alone": ("alone",), "other": ("other.n4",)}),
        (9, {n.namespace or n.name: (n.name,) for n in NAMESPACED}),
    ],
)
def test_namespaces_are_cut_at_a_depth(depth: int, groups: dict[str, tuple[str, ...]]) -> None:
    assert as_dict(by_namespace(NAMESPACED, depth)) == groups


def test_a_group_that_is_called_as_a_node_is_still_a_step_of_its_own() -> None:
    groups = by_namespace([node("g"), node("g.n1", namespace="g"), node("g.n2", namespace="g")])
    assert as_dict(groups) == {"g": ("g",), "g (namespace)": ("g.n1", "g.n2")}


def test_a_group_may_be_called_as_a_node_inside_it() -> None:
    assert as_dict(by_tag([tagged("g", "group.g"), tagged("x", "group.g")])) == {"g": ("g", "x")}


def test_tags_with_the_prefix_name_groups() -> None:
    nodes = [tagged("a", "group.x", "slow"), tagged("b", "slow"), tagged("c", "group.x"), tagged("d", "group.")]
    assert as_dict(by_tag(nodes)) == {"x": ("a", "c"), "b": ("b",), "d": ("d",)}
    assert as_dict(by_tag(nodes, "slo")) == {"w": ("a", "b"), "c": ("c",), "d": ("d",)}


def test_a_node_with_two_group_tags_is_refused() -> None:
    with pytest.raises(CompileError, match=r"'a' is in two groups by its tags \(group\.…\): 'x' and 'y'") as caught:
        by_tag([tagged("a", "group.y", "group.x")])
    assert caught.value.cure


REGISTERED = {
    "__default__": {"load", "clean", "train"},
    "everything": {"load", "clean", "train", "more"},
    "prepare": {"load", "clean"},
    "science": {"train", "more"},
}


def test_pipelines_that_are_put_together_give_way_to_their_parts() -> None:
    nodes = [node("load"), node("clean"), node("train"), node("unregistered")]
    expected = {"prepare": ("load", "clean"), "science": ("train",), "unregistered": ("unregistered",)}
    assert as_dict(by_pipeline(nodes, REGISTERED)) == expected


def test_only_chosen_pipelines_count() -> None:
    nodes = [node("load"), node("train")]
    assert as_dict(by_pipeline(nodes, REGISTERED, ["everything"])) == {"everything": ("load", "train")}
    with pytest.raises(CompileError, match=r"no pipeline 'scence'\. Did you mean 'science'"):
        by_pipeline(nodes, REGISTERED, ["scence"])


def test_a_node_of_two_pipelines_side_by_side_is_refused() -> None:
    registered = {**REGISTERED, "report": {"train", "draw"}}
    with pytest.raises(
        CompileError, match="'train' is in two groups by its pipelines: 'report' and 'science'"
    ) as caught:
        by_pipeline([node("train")], registered)
    assert "run_config.grouping.pipelines" in str(caught.value)
