"""`chain` and `auto`: what they merge, that no merge makes the run longer, and that 1,000 nodes take no time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kedro_kubeflow.plan.grouping import Fits, Group, NodeFacts, auto, by_auto, by_chain, by_node, makespan
from kedro_kubeflow.plan.grouping.order import in_order, members_of

OVERHEAD = 20.0


def always(_: str, __: str) -> bool:
    return True


def node(name: str, inputs: str = "", outputs: str = "") -> NodeFacts:
    return NodeFacts(name, tuple(inputs.split()), tuple(outputs.split()))


def members(groups: Sequence[Group]) -> list[tuple[str, ...]]:
    return [group.nodes for group in groups]


DIAMOND = [node("a", "", "x"), node("b", "x", "y"), node("c", "x", "z"), node("d", "y z", "w"), node("e", "w", "v")]


def test_a_chain_ends_where_something_stands_beside() -> None:
    assert members(by_chain(DIAMOND, always)) == [("a",), ("b",), ("c",), ("d", "e")]
    line = [node("a", "", "x@pandas"), node("b", "x@spark", "y"), node("c", "y", "z")]
    (group,) = by_chain(line, always)
    assert (group.name, group.nodes) == ("a+2", ("a", "b", "c"))


def test_what_is_waited_for_anyway_does_not_break_a_chain() -> None:
    split = [node("split", "raw", "train test"), *(node(f"{m}.fit", "train", f"{m}.model") for m in "ab")]
    split += [node(f"{m}.score", f"{m}.model test", f"{m}.score") for m in "ab"]
    assert members(by_chain(split, always)) == [("split",), ("a.fit", "a.score"), ("b.fit", "b.score")]


def test_nodes_that_are_given_something_else_stay_apart() -> None:
    line = [node("a", "", "x"), node("gpu", "x", "y"), node("c", "y", "z"), node("d", "z", "w")]
    fits: Fits = lambda one, other: ("gpu" in (one, other)) == (one == other == "gpu")  # noqa: E731
    assert members(by_chain(line, fits)) == [("a",), ("gpu",), ("c", "d")]
    seconds = dict.fromkeys("acd", 1.0) | {"gpu": 1.0}
    assert members(by_auto(line, seconds, OVERHEAD, fits)) == [("a",), ("gpu",), ("c", "d")]


def test_auto_puts_short_nodes_together_and_lets_long_ones_run_side_by_side() -> None:
    short = dict.fromkeys("abcde", 1.0)
    assert len(by_auto(DIAMOND, short, OVERHEAD, always)) == 1
    long = short | {"b": 300.0, "c": 300.0}
    found = by_auto(DIAMOND, long, OVERHEAD, always)
    assert not any({"b", "c"} <= set(group.nodes) for group in found)
    assert makespan(found, DIAMOND, long, OVERHEAD) < 2 * 300
    assert members(found) == [("a",), ("b",), ("c",), ("d", "e")]


def test_the_bound_holds_also_where_nothing_waits_for_anything() -> None:
    beside = [node(f"n{i}", "raw", f"x{i}") for i in range(100)]
    seconds = {n.name: 50.0 for n in beside}
    assert len(by_auto(beside, seconds, OVERHEAD, always)) == 100
    for most in (60, 7, 1):
        assert len(by_auto(beside, seconds, OVERHEAD, always, most)) == most


def test_what_runs_beside_something_longer_shares_a_step_where_fewer_are_wished_for() -> None:
    """A long step, and short ones that nothing waits for: one behind the other they take no longer."""
    fan = [node("load", "", "raw"), node("long", "raw", "model"), *(node(f"s{i}", "raw", f"x{i}") for i in range(30))]
    seconds = {n.name: 10.0 for n in fan} | {"long": 900.0}
    free = by_auto(fan, seconds, OVERHEAD, always)
    assert len(free) == 32
    fewer = by_auto(fan, seconds, OVERHEAD, always, wished=5)
    assert len(fewer) == 5
    assert makespan(fewer, fan, seconds, OVERHEAD) == makespan(free, fan, seconds, OVERHEAD)
    equal = dict.fromkeys(seconds, 10.0)
    assert len(by_auto(fan, equal, OVERHEAD, always, wished=5)) == len(by_auto(fan, equal, OVERHEAD, always)), (
        "it costs"
    )


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[NodeFacts], dict[str, float]]:
    nodes, made = [], ["raw"]
    for number in range(draw(st.integers(1, 14))):
        inputs = draw(st.lists(st.sampled_from(made), unique=True, min_size=1, max_size=3))
        nodes.append(NodeFacts(f"n{number}", tuple(inputs), (f"d{number}",)))
        made.append(f"d{number}")
    return nodes, {n.name: draw(st.floats(0, 100)) for n in nodes}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(graphs(), st.integers(1, 6))
def test_whatever_the_graph_the_steps_can_run_and_no_merge_makes_the_run_longer(
    graph: tuple[list[NodeFacts], dict[str, float]], most: int
) -> None:
    nodes, seconds = graph
    facts = {n.name: n for n in nodes}
    alone = makespan(by_node(nodes), nodes, seconds, OVERHEAD)
    chained, merged = by_chain(nodes, always), by_auto(nodes, seconds, OVERHEAD, always)
    for groups in (chained, merged):
        in_order(members_of(groups, facts), facts)
        assert makespan(groups, nodes, seconds, OVERHEAD) <= alone + 1e-3
    wished = by_auto(nodes, seconds, OVERHEAD, always, wished=most)
    in_order(members_of(wished, facts), facts)
    assert makespan(wished, nodes, seconds, OVERHEAD) <= makespan(merged, nodes, seconds, OVERHEAD) + 1e-3
    bounded = by_auto(nodes, seconds, OVERHEAD, always, most)
    in_order(members_of(bounded, facts), facts)
    assert len(bounded) <= most
    assert bounded == by_auto(nodes, seconds, OVERHEAD, always, most)


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_the_estimate_grows_by_no_single_merge(graph: tuple[list[NodeFacts], dict[str, float]]) -> None:
    """After each merge, the run is estimated anew from nothing but the groups."""
    nodes, seconds = graph
    seen: list[float] = []

    class Watched(auto._Steps):
        def _merge(self, u: int, v: int) -> int:
            merged = super()._merge(u, v)
            groups = [Group(str(m[0]), tuple(self.names[i] for i in m)) for m in self.groups()]
            seen.append(makespan(groups, nodes, seconds, OVERHEAD))
            assert self.makespan == pytest.approx(seen[-1])
            return merged

    steps = Watched(nodes, seconds, OVERHEAD, always)
    before = steps.makespan
    assert before == pytest.approx(makespan(by_node(nodes), nodes, seconds, OVERHEAD))
    steps.merge_edges(before)
    after = steps.makespan
    steps.merge_beside(1)
    assert all(now <= before + 1e-3 for now in seen)
    assert steps.makespan <= after + 1e-3


QUICK = 30
"""How often this machine, as busy as it is, could take a million steps meanwhile: a second or so on one that is idle."""


def a_million_steps() -> int:
    return sum(i * i for i in range(1_000_000))


def took(work: Callable[[], object]) -> float:
    """The shortest of three, in processor seconds."""

    def once() -> float:
        since = time.process_time()
        work()
        return time.process_time() - since

    return min(once() for _ in range(3))


def test_what_costs_no_time_is_found_quickly() -> None:
    fan = [node("load", "", "raw"), node("long", "raw", "m"), *(node(f"s{i}", "raw", f"x{i}") for i in range(140))]
    seconds = {n.name: 10.0 + int(n.name[1:]) % 7 if n.name[1:].isdigit() else 3000.0 for n in fan}
    assert len(by_auto(fan, seconds, OVERHEAD, always, wished=30)) == 30
    assert took(lambda: by_auto(fan, seconds, OVERHEAD, always, wished=30)) < QUICK * took(a_million_steps)


@pytest.mark.parametrize("most", [None, 100])
def test_a_thousand_nodes_are_grouped_quickly(most: int | None) -> None:
    layers = [
        node(
            f"n{i}",
            " ".join(f"d{j}" for j in (i - 10, i - 9) if 0 <= j < i - i % 10) or "raw",
            f"d{i}",
        )
        for i in range(1000)
    ]
    seconds = {n.name: float(i * 7 % 90) for i, n in enumerate(layers)}
    found = by_auto(layers, seconds, OVERHEAD, always, most)
    assert took(lambda: by_auto(layers, seconds, OVERHEAD, always, most)) < QUICK * took(a_million_steps)
    assert len(found) <= (most or 1000)
    facts = {n.name: n for n in layers}
    in_order(members_of(found, facts), facts)
