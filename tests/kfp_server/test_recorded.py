"""The stand-in against what a real Kubeflow Pipelines 2.17.0 said."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kfp_server.workflow import Workflow, task_details

RECORDED = Path(__file__).parent / "recorded"
WITH_SPEC = [
    "run-cached", "run-cancelled", "run-cancelled-image-pull", "run-deadline", "run-exit-driver-failed-but-succeeded",
    "run-failed", "run-failed-before-start", "run-failed-flat", "run-retried", "run-step-retries-labels", "run-step-timeout",
    "run-succeeded-quickstart", "run-workspace",
]  # fmt: skip


@pytest.mark.parametrize("name", WITH_SPEC)
def test_the_tasks_are_those_of_a_real_server(name: str) -> None:
    run = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
    real = run["run_details"]["task_details"]
    ours = task_details(_workflow(run), run["run_id"], run["created_at"])
    assert _shape(ours) == _shape(real)


def _workflow(run: Mapping[str, Any]) -> Workflow:
    """The same workflow, by the states that the server tells of its tasks."""
    real = run["run_details"]["task_details"]
    name = next(t["display_name"] for t in real if f"{t['display_name']}(0)" == _top(real))
    states = {t["display_name"]: t.get("state", "") for t in real}
    cached = {t["display_name"] for t in real if t["start_time"] == t["end_time"] and t.get("state") == "SUCCEEDED"}
    no_driver = {n.removesuffix("-driver") for n, s in states.items() if n.endswith("-driver") and s == "FAILED"}
    states.update({**dict.fromkeys(cached, "SKIPPED"), **dict.fromkeys(no_driver, "NO DRIVER")})
    tries = {n: sum(f"{n}({i})" in states for i in range(5)) for n in states}
    return Workflow(name, run["pipeline_spec"], states, run["state"], {n: c for n, c in tries.items() if c > 1})


def _top(details: list[dict[str, Any]]) -> str:
    children = {c["pod_name"].rpartition("-")[0] for t in details for c in t.get("child_tasks", ())}
    [workflow] = children
    return f"{workflow}(0)"


def _shape(details: list[dict[str, Any]]) -> Counter[tuple[str, str, tuple[str, ...]]]:
    return Counter(
        (t["display_name"], t.get("state", ""), tuple(sorted(c["pod_name"] for c in t.get("child_tasks", ()))))
        for t in details
    )
