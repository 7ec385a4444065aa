"""Whatever the nodes and the groups: the DAG is whole, acyclic, and hands every dataset to whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plans import Graph, graph_of

from kedro_kubeflow.errors import CycleError
from kedro_kubeflow.plan.grouping import (
    Fits,
    Group,
    NodeFacts,
    all_together,
    by_auto,
    by_chain,
    by_memory,
    by_namespace,
    by_node,
    by_tag,
)
from kedro_kubeflow.plan.handoff import handoff
from kedro_kubeflow.plan.steps import Step
from kedro_kubeflow.project.facts import Parameters

KINDS: dict[str, Mapping[str, Any] | None] = {
    "memory": None,
    "declared memory": {"type": "MemoryDataset"},
    "file": {"type": "pandas.CSVDataset", "filepath": "data/x.csv"},
    "html": {"type": "text.TextDataset", "filepath": "data/x.html"},
    "plot": {"type": "plotly.JSONDataset", "filepath": "data/x.json"},
    "remote": {"type": "pandas.CSVDataset", "filepath": "s3://bucket/x.csv"},
}


@dataclass
class Case:
    """Nodes in an order in which they can run, and what the catalog says."""

    nodes: list[NodeFacts]
    kinds: dict[str, str]

    @property
    def handoffs(self) -> dict[str, Any]:
        return {name: handoff(name, KINDS[kind]) for name, kind in self.kinds.items()}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    nodes: list[NodeFacts] = []
    made: list[str] = ["raw0", "raw1"]
    kinds = dict.fromkeys(made, "file")
    for number in range(draw(st.integers(1, 12))):
        inputs = draw(st.lists(st.sampled_from(made), unique=True, max_size=4))
        outputs = [f"d{number}_{i}" for i in range(draw(st.integers(0 if inputs else 1, 3)))]
        kinds |= {name: draw(st.sampled_from(sorted(KINDS))) for name in outputs}
        namespace = draw(st.sampled_from([None, "a", "b", "a.x", "a.x.y"]))
        tags = draw(st.sampled_from([frozenset(), frozenset({"group.g"}), frozenset({"group.h", "other"})]))
        name = f"{namespace}.n{number}" if namespace else f"n{number}"
        nodes.append(NodeFacts(name, (*inputs, "params:p"), tuple(outputs), tags, namespace))
        made += outputs
    return Case(nodes, kinds)


def random_groups(draw: st.DrawFn, case: Case) -> list[Group]:
    titles: dict[int, list[str]] = {}
    for node in case.nodes:
        titles.setdefault(draw(st.integers(0, 3)), []).append(node.name)
    return [Group(f"group {number}", tuple(names)) for number, names in titles.items()]


@st.composite
def groupings(draw: st.DrawFn, case: Case) -> list[Group]:
    in_memory = {name for name, kind in case.kinds.items() if "memory" in kind}
    rules = {
        "node": lambda: by_node(case.nodes),
        "all": lambda: all_together(case.nodes),
        "namespace": lambda: by_namespace(case.nodes, draw(st.integers(1, 3))),
        "tag": lambda: by_tag(case.nodes),
        "memory": lambda: by_memory(case.nodes, in_memory),
        "random": lambda: random_groups(draw, case),
    }
    return rules[draw(st.sampled_from(sorted(rules)))]()


def build(case: Case, groups: list[Group]) -> Graph:
    return graph_of(case.nodes, groups, case.handoffs, Parameters(values={"p": 1}))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_grouping_that_is_taken_gives_a_whole_dag(data: st.DataObject) -> None:
    case = data.draw(cases())
    groups = data.draw(groupings(case))
    if has_cycle(case, groups):
        with pytest.raises(CycleError, match="→") as caught:
            build(case, groups)
        assert caught.value.cure
        return
    dag = build(case, groups)
    assert sorted(node.name for step in dag.steps for node in step.nodes) == sorted(n.name for n in case.nodes)
    assert {tuple(node.name for node in step.nodes) for step in dag.steps} == {in_case_order(g, case) for g in groups}
    check_order(dag)
    check_edges(dag, case)


@st.composite
def groups_by_time(draw: st.DrawFn, case: Case) -> list[Group]:
    fits: Fits = lambda one, other: len(one) == len(other)  # noqa: E731
    if draw(st.booleans()):
        return by_chain(case.nodes, fits)
    most = st.one_of(st.none(), st.integers(1, 8))
    seconds = {node.name: draw(st.floats(0, 100)) for node in case.nodes}
    return by_auto(case.nodes, seconds, 20.0, fits, draw(most), draw(most))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_groups_by_time_never_wait_for_themselves_and_give_a_whole_dag(data: st.DataObject) -> None:
    case = data.draw(cases())
    groups = data.draw(groups_by_time(case))
    dag = build(case, groups)
    assert sorted(node.name for step in dag.steps for node in step.nodes) == sorted(n.name for n in case.nodes)
    assert all(len({len(node.name) for node in step.nodes}) == 1 for step in dag.steps), (
        "nodes that do not fit stay apart"
    )
    check_order(dag)
    check_edges(dag, case)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_memory_never_crosses_when_grouped_by_memory(case: Case) -> None:
    in_memory = {name for name, kind in case.kinds.items() if "memory" in kind}
    dag = build(case, by_memory(case.nodes, in_memory))
    assert not {i.artifact.dataset for step in dag.steps for i in step.inputs} & in_memory


def in_case_order(group: Group, case: Case) -> tuple[str, ...]:
    return tuple(node.name for node in case.nodes if node.name in group.nodes)


def has_cycle(case: Case, groups: list[Group]) -> bool:
    """By brute force: a group that reaches itself through others."""
    home = {name: group.name for group in groups for name in group.nodes}
    writer = {d: node.name for node in case.nodes for d in node.outputs}
    edges = {
        (home[writer[d]], home[n.name])
        for n in case.nodes
        for d in n.inputs
        if d in writer and home[writer[d]] != home[n.name]
    }
    reach = set(edges)
    while True:
        more = {(a, d) for a, b in reach for c, d in edges if b == c} - reach
        if not more:
            return any(a == b for a, b in reach)
        reach |= more


def check_order(dag: Graph) -> None:
    """The steps stand in an order in which they can run."""
    names = [step.name for step in dag.steps]
    TopologicalSorter({step.name: step.upstream for step in dag.steps}).prepare()
    for step in dag.steps:
        assert all(names.index(other) < names.index(step.name) for other in step.upstream)


def check_edges(dag: Graph, case: Case) -> None:
    """Each dataset that another step makes comes in from that step, or is waited for where it is remote."""
    maker = {d: step for step in dag.steps for node in step.nodes for d in node.outputs}
    for step in dag.steps:
        read = {d for node in step.nodes for d in node.inputs if d != "params:p"}
        foreign = {d for d in read if d in maker and maker[d] is not step}
        remote = {d for d in foreign if case.kinds[d] == "remote"}
        assert {i.artifact.dataset: i.producer for i in step.inputs} == {d: maker[d].name for d in foreign - remote}
        assert set(step.after) == {maker[d].name for d in remote}
        for item in step.inputs:
            check_promised(maker[item.artifact.dataset], item.artifact.name)
        assert step.parameters == ("p",)
    read_anywhere = {d for node in case.nodes for d in node.inputs if d != "params:p"}
    assert set(dag.free_inputs) == read_anywhere - set(maker)


def check_promised(maker: Step, artifact: str) -> None:
    promised = [o.artifact for o in maker.outputs if o.artifact.name == artifact]
    assert [artifact.required for artifact in promised] == [True]
