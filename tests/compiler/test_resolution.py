"""Each combination of volume, exit pipeline, notifications, cache and who closes the MLflow run: it compiles to what Kubeflow's
driver can resolve, or it is an error when compiling."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from plans import plan_of

from compiler.resolution import unresolved
from compiler.test_plugin_tasks_against_kfp import CATALOG, NODES, PARAMETERS
from kedro_kubeflow.compiler import CompiledPipeline, compile_plan
from kedro_kubeflow.errors import CompileError
from kedro_kubeflow.plan.grouping import NodeFacts

VOLUMES: dict[str, dict[str, Any]] = {
    "none": {},
    "workspace": {"volume": {"size": "1Gi"}},
    "empty workspace": {"volume": {"skip_init": True}},
    "filled by root": {"volume": {"fill_as_root": True, "owner": 1000}},
    "kept": {"volume": {"keep": True, "storageclass": "nfs"}},
}
EXITS: dict[str, list[NodeFacts]] = {
    "none": [],
    "without files": [NodeFacts("tell", ("params:kubeflow_run", "params:team"), ("said",))],
    "with a file on the volume": [NodeFacts("tell", ("params:kubeflow_run",), ("told",))],
}
NOTIFICATIONS = {"none": [], "one": [{"type": "webhook", "url_secret": {"name": "hook", "key": "url"}}]}
CACHES: dict[str, dict[str, Any]] = {
    "none": {},
    "one step": {"cache": {"score": True}},
    "all": {"cache": {"__default__": True}},
}
TRACKING: dict[str, dict[str, Any] | None] = {
    "none": None,
    **{
        f"{close} {mark}": {"mlflow": {"close_run": close, "mark_success": mark, "metrics_artifact": metrics}}
        for close, mark, metrics in (
            ("exit_handler", "auto", "auto"),
            ("exit_handler", "always", "all"),
            ("exit_handler", "never", "none"),
            ("last_task", "auto", "all"),
            ("last_task", "never", "auto"),
        )
    },
}
EVERY = list(itertools.product(VOLUMES, EXITS, NOTIFICATIONS, CACHES, TRACKING))


def compiled(volume: str, at_exit: str, notifications: str, cache: str, tracking: str) -> CompiledPipeline:
    config: dict[str, Any] = {
        **VOLUMES[volume],
        **CACHES[cache],
        **(TRACKING[tracking] or {}),
        "notifications": NOTIFICATIONS[notifications],
        **({"on_exit_pipeline": "bye"} if EXITS[at_exit] else {}),
    }
    others = {"bye": EXITS[at_exit]} if EXITS[at_exit] else {}
    tracked = TRACKING[tracking] is not None
    # score alone keeps nothing on the volume that a cache would miss.
    nodes = [NodeFacts("prepare", ("params:lr",), ("memory",)), NodeFacts("score", ("memory",), ("score",))]
    nodes = nodes if cache != "none" else NODES
    return compile_plan(plan_of(nodes, CATALOG, config, parameters=PARAMETERS, tracking=tracked, others=others))


@pytest.mark.parametrize("volume", VOLUMES)
def test_whatever_is_combined_can_be_resolved_or_is_refused(volume: str) -> None:
    refused = []
    for case in (case for case in EVERY if case[0] == volume):
        try:
            found = compiled(*case)
        except CompileError as error:
            refused.append((case, error.where))
            continue
        assert unresolved(found) == [], case
    key = "kubeflow.yml, run_config.volume.keep and run_config.on_exit_pipeline"
    expected = [(case, key) for case in EVERY if case[0] == volume == "kept" and case[1] == "with a file on the volume"]
    assert refused == expected


@pytest.mark.parametrize(
    ("cache", "tracking", "marked"),
    [
        ("none", "exit_handler auto", False),
        ("none", "exit_handler always", True),
        ("none", "exit_handler never", False),
        ("one step", "exit_handler auto", True),
        ("one step", "exit_handler never", False),
        ("none", "last_task auto", True),
        ("none", "last_task never", False),
    ],
)
def test_the_task_that_marks_success_is_spared_where_the_last_step_can_do_it(
    cache: str, tracking: str, marked: bool
) -> None:
    found = compiled("none", "none", "none", cache, tracking)
    executors = found.pipeline_spec["deploymentSpec"]["executors"]
    assert ("exec-mlflow-mark-success" in executors) is marked
    told = str(executors["exec-mlflow-start-run"]["container"]["args"])
    assert ('"steps"' in told) is not marked, "the start task tells the steps how many they are"


def test_the_model_finds_what_cannot_be_resolved() -> None:
    found = compiled("kept", "none", "none", "none", "exit_handler auto")
    root = found.pipeline_spec["root"]["dag"]["tasks"]
    found.platform_spec["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-mlflow-end-run"] = {
        "pvcMount": [{"taskOutputParameter": {"producerTask": "create-volume", "outputParameterKey": "name"}}]
    }
    assert unresolved(found) == ["root.mlflow-end-run, volume: create-volume is not in tasks"]
    root["mlflow-end-run"]["dependentTasks"] = ["elsewhere"]
    assert len(unresolved(found)) == 3
