"""The size of a run as Argo keeps it, against what a real Kubeflow Pipelines 2.17.0 kept."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest
from golden_file import check_golden
from plans import plan_of

from kedro_kubeflow.check.limits import size_findings
from kedro_kubeflow.compiler import spec
from kedro_kubeflow.plan import Plan
from kedro_kubeflow.plan.grouping import NodeFacts
from kedro_kubeflow.plan.workflow import (
    LIMIT,
    bytes_of,
    component_of,
    container_of,
    executor_input_of,
    kubernetes_of,
    task_bytes,
    task_of,
)
from kedro_kubeflow.project.node_times import Timed

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded/workflow_quickstart.json").read_text())
VALUES = {"lr": 0.1, "options": {"a": 1}}


def lanes(nodes: int) -> list[NodeFacts]:
    """Ten lanes; each node reads what the one before it made, and two parameters."""
    return [
        NodeFacts(
            f"n_{lane}_{place}",
            (*((f"d_{lane}_{place - 1}",) if place else ()), "params:lr", "params:options"),
            (f"d_{lane}_{place}",),
        )
        for place in range(nodes // 10)
        for lane in range(10)
    ]


def plan(nodes: int, **run_config: Any) -> Plan:
    return plan_of(lanes(nodes), run_config=run_config, parameters=VALUES, tracking=True)


def messages(task: dict[str, Any]) -> list[str]:
    return [task[key] for key in ("name", "component", "task", "container", "kubernetes", "executor_input")]


@pytest.mark.parametrize("task", RECORDED["tasks"], ids=lambda task: task["name"])
def test_nodes_are_as_large_as_on_a_real_server(task: dict[str, Any]) -> None:
    in_group = 2 * (len(task["task"]) + task["task"].count('"'))
    assert bytes_of(*messages(task), pod_fields=1).status - in_group == pytest.approx(task["nodes"], rel=0.05)


def test_the_whole_is_within_ten_percent_of_a_real_workflow() -> None:
    each = [bytes_of(*messages(task), pod_fields=1) for task in RECORDED["tasks"]]
    assert 14_000 + sum(one.spec for one in each) == pytest.approx(RECORDED["spec"], rel=0.05)
    assert 26_000 + sum(one.status for one in each) == pytest.approx(RECORDED["status"], rel=0.05)
    assert 2_000 + sum(one.compressed for one in each) == pytest.approx(RECORDED["compressed"], rel=0.05)


def test_a_pipeline_of_the_measured_form_takes_less_than_a_slim_one_did() -> None:
    """53 tasks of ten lanes ended at 266 KB slimmed by hand: 2.9 KB of spec, 28 KB of status, 2.1 KB compressed a step."""
    size = plan(50).workflow
    assert size.tasks == pytest.approx(53, abs=1)
    assert size.total < 266_000
    assert size.steps_that_fit > 208
    step = task_bytes(next(t for t in plan(50).tasks if t.name == "n-3-3"), "demo", VALUES)
    assert (step.spec < 2_900, step.status < 28_000, step.compressed < 2_100) == (True, True, True)


def test_what_is_random_does_not_shrink() -> None:
    """48 KiB in base64 in the first of 53 tasks ended a run; the same of text would not."""
    random_bytes = base64.b64encode(random.Random(1).randbytes(48 * 1024)).decode()
    small = bytes_of("n", "{}", "{}", "{}", "", "{}").kept
    assert bytes_of("n", "{}", "{}", random_bytes, "", "{}").kept - small == pytest.approx(12 * 48 * 1024, rel=0.1)
    assert bytes_of("n", "{}", "{}", "the same again " * 4_300, "", "{}").kept - small < 3 * 64 * 1024


def test_states_are_told_up_to_some_25_tasks() -> None:
    assert plan(20).workflow.states_are_told
    assert not plan(40).workflow.states_are_told


def fan(others: int) -> list[NodeFacts]:
    """A node, and beside what it makes one long node and many short ones."""
    first = NodeFacts("load", ("raw",), ("rows",))
    return [first, *(NodeFacts(f"n{i}", ("rows",), (f"x{i}",)) for i in range(others))]


def test_auto_merges_what_costs_no_time_until_states_are_told() -> None:
    """Short nodes run beside a long one: one behind the other they take no longer, and KFP's API tells all states."""
    times = {f"n{i}": Timed(3.0) for i in range(60)} | {"n0": Timed(900.0)}
    by_node = plan_of(fan(60), tracking=True, times=times)
    assert not by_node.workflow.states_are_told
    merged = plan_of(fan(60), run_config={"grouping": "auto"}, tracking=True, times=times)
    assert merged.workflow.states_are_told
    assert merged.estimates
    assert merged.estimates.chosen.seconds == by_node.estimates.chosen.seconds  # type: ignore[union-attr]
    assert len(merged.steps) > 10, "and no further"


def test_auto_merges_nothing_that_costs_time_for_states() -> None:
    times = {f"n{i}": Timed(60.0) for i in range(60)}
    merged = plan_of(fan(60), run_config={"grouping": "auto"}, tracking=True, times=times)
    assert (len(merged.steps), merged.workflow.states_are_told) == (61, False)


def test_what_would_die_on_the_way_is_an_error_with_the_number_that_fits() -> None:
    (found,) = size_findings(plan(300))
    assert (found.id, found.level) == ("workflow-size", "error")
    assert f"Argo takes {LIMIT:,}" in found.what
    assert "grouping: auto, chain" in str(found.cure)
    assert not list(size_findings(plan(50)))
    assert [f.level for f in size_findings(plan(170))] == ["warning"]


@pytest.mark.parametrize("limit", ["4Mi", "offload", 3_000_000])
def test_what_administrators_have_raised_holds(limit: Any) -> None:
    assert not [f for f in size_findings(plan(300, workflow_limit=limit)) if f.level == "error"]


@pytest.mark.parametrize("run_config", [{}, {"cache": True}, {"mlflow": {"metrics_artifact": "all"}}, {"volume": {}}])
def test_the_model_counts_what_is_compiled(run_config: dict[str, Any]) -> None:
    for task in plan(20, **run_config).tasks:
        if task.call is None or task.at_exit:
            continue
        assert json.loads(component_of(task)) == spec.component_spec(task)
        compiled = spec.task_spec(task, waits_for=task.upstream)
        assert json.loads(task_of(task)) == compiled
        assert json.loads(container_of(task)) == spec.executor_spec(task)["container"]


def test_golden_bytes_of_a_step() -> None:
    task = next(t for t in plan(50).tasks if t.name == "n-3-3")
    parts = {
        "component": component_of(task),
        "task": task_of(task),
        "container": container_of(task),
        "Kubernetes config": kubernetes_of(task),
        "executor input": executor_input_of(task, "demo", VALUES),
    }
    size = task_bytes(task, "demo", VALUES)
    lines = [f"{name}: {len(text):,}" for name, text in parts.items()]
    lines += [f"in the spec: {size.spec:,}", f"in the status: {size.status:,}", f"compressed: {size.compressed:,}"]
    check_golden("bytes_of_a_step.txt", "\n".join(lines) + "\n")


def test_auto_takes_the_limit_as_a_bound() -> None:
    """A thousand long nodes in ten lanes: what could all run side by side is merged until Argo keeps it."""
    free = plan(1000, grouping={"by": "auto", "assume": 600, "overhead": 1}, workflow_limit="offload")
    bound = plan(1000, grouping={"by": "auto", "assume": 600, "overhead": 1})
    assert bound.workflow.has_room
    assert len(bound.steps) <= len(free.steps)
    assert sorted(n.name for step in bound.steps for n in step.nodes) == sorted(n.name for n in lanes(1000))


def test_auto_fits_where_nothing_waits_for_anything() -> None:
    beside = [NodeFacts(f"n{i}", ("raw",), (f"x{i}",)) for i in range(600)]
    bound = plan_of(beside, run_config={"grouping": {"by": "auto", "assume": 600}}, tracking=True)
    assert bound.workflow.has_room
    assert len(bound.steps) > 100


def test_the_estimate_of_the_chosen_grouping_is_the_one_of_its_name() -> None:
    for by in ("node", "chain", "auto"):
        found = plan(40, grouping=by).estimates
        assert found
        assert found.chosen == next(one for one in found.others if one.grouping == by)
    line = [NodeFacts("a", ("raw",), ("x",)), NodeFacts("b", ("x",), ("y",)), NodeFacts("c", ("y",), ("z",))]
    estimates = plan_of(line, tracking=True).estimates
    assert estimates
    # Root 10 s, group 10 s, start 20 s, steps of 20 s and 1 s a node, end 20 s.
    assert [one.seconds for one in estimates.others] == pytest.approx([60 + 3 * 21, 60 + 23, 60 + 23])
