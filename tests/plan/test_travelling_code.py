"""Which task makes the code an artifact, and whose key it is in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plans import kedro_pipeline

from kedro_kubeflow.compiler import compile_plan
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.names import PROJECT_CODE, START_RUN
from kedro_kubeflow.plan import Plan, make_plan
from kedro_kubeflow.plan.nodes import NodeFacts
from kedro_kubeflow.plan.task import Task
from kedro_kubeflow.project.catalog import CatalogEntries
from kedro_kubeflow.project.facts import Facts, Parameters
from kedro_kubeflow.project.mlflow_plugin import MlflowPlugin
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.request import Request, TravellingCode

NODES = [
    NodeFacts(name="a", inputs=(), outputs=("x",), tags=frozenset()),
    NodeFacts(name="b", inputs=("x",), outputs=("y",), tags=frozenset()),
]
INLINE = TravellingCode(digest="1" * 64, content=b"the code")
IN_MLFLOW = TravellingCode(digest="1" * 64, mlflow_run="run-1", commit="abc")
WHOLE = TravellingCode(digest="1" * 64, uris=("s3://b/code.tar.xz",))
PORTIONS = TravellingCode(digest="1" * 64, uris=("minio://b/1", "minio://b/2"))


def plan(code: TravellingCode, *, tracking: bool = True, **run_config: Any) -> Plan:
    config = KubeflowConfig.model_validate({"run_config": {"image": "img:1", **run_config}})
    facts = Facts(
        project=OpenProject(Path("/nowhere"), "demo", "demo", "base", "/nowhere/conf"),
        pipelines={"p": kedro_pipeline(NODES)},
        catalog=CatalogEntries({}),
        parameters=Parameters(values={}),
        mlflow=MlflowPlugin(installed=tracking),
    )
    return make_plan(facts, config, Request(pipelines=("p",), code=code))


def maker_of(made: Plan) -> str:
    """The task that every step is given the code by."""
    (name,) = {
        task.artifacts["project-code"].producer for task in made.tasks if task.call and task.call.action == "run"
    }
    return name


def task(made: Plan, name: str) -> Task:
    return next(task for task in made.tasks if task.name == name)


@pytest.mark.parametrize("code", [INLINE, IN_MLFLOW, PORTIONS])
def test_the_first_task_makes_it(code: TravellingCode) -> None:
    assert maker_of(plan(code)) == START_RUN
    assert maker_of(plan(code, tracking=False)) == PROJECT_CODE


@pytest.mark.parametrize("code", [INLINE, IN_MLFLOW, PORTIONS])
def test_where_steps_are_cached_a_task_that_is_cached_too(code: TravellingCode) -> None:
    """KFP's key holds the numbers of input artifacts: one that each run made anew would keep every step from the cache."""
    made = plan(code, cache={"a": True})
    assert maker_of(made) == PROJECT_CODE
    own, start = task(made, PROJECT_CODE), task(made, START_RUN)
    assert own.cache
    assert own.call
    assert start.call
    assert "commit" not in own.call.settings
    assert start.artifacts["project-code"].producer == PROJECT_CODE
    assert start.call.settings.get("commit") == code.commit
    # Nothing that differs from run to run goes in.
    assert own.parameters == {}
    options = compile_plan(made).pipeline_spec["components"]["comp-exit-handler-1"]["dag"]["tasks"][PROJECT_CODE]
    assert options["cachingOptions"] == {"enableCache": True}


def test_an_importer_gives_what_is_known_already() -> None:
    for cache in ({}, {"a": True}):
        made = plan(WHOLE, cache=cache)
        assert maker_of(made) == f"{PROJECT_CODE}-import"
        assert PROJECT_CODE not in {task.name for task in made.tasks}


def test_the_digest_is_in_the_key_of_cached_steps() -> None:
    """KFP's key holds a container's command and arguments."""
    made = plan(INLINE, cache={"a": True})
    other = plan(replace(INLINE, digest="2" * 64), cache={"a": True})
    keys = [task(p, "a").call.to_argv() for p in (made, other, plan(INLINE, cache={"a": True}))]  # type: ignore[union-attr]
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]
    assert "1" * 64 in keys[0]
