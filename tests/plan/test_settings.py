"""Settings of a pipeline's steps, where selectors may name the whole project."""

from __future__ import annotations

from typing import Any

import pytest
from kedro.pipeline import Pipeline, node
from plans import Graph, graph_of

from kedro_kubeflow import names
from kedro_kubeflow.config.environment import SecretKey
from kedro_kubeflow.config.run_config import RunConfig
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.plan.exit import AtExit
from kedro_kubeflow.plan.grouping import by_node, by_tag
from kedro_kubeflow.plan.grouping_rule import GroupingRule
from kedro_kubeflow.plan.handoff import handoff
from kedro_kubeflow.plan.nodes import node_facts
from kedro_kubeflow.plan.settings import cache_keys, cache_warnings, plain_text_warnings, settings_of
from kedro_kubeflow.project.facts import Parameters

MAIN = Pipeline(
    [node(lambda x: x, "raw", "rows", name="prepare", tags="group.data"), node(len, "rows", "n", name="count")]
)
OTHER = Pipeline([node(len, "n", "m", name="other", tags=["gpu", "group.late"])])
REGISTERED = {"__default__": MAIN + OTHER, "main": MAIN, "other": OTHER}
LOCAL = {"type": "json.JSONDataset", "filepath": "data/x.json"}


def dag_of(run: RunConfig, **values: Any) -> Graph:
    facts = node_facts(MAIN)
    folder = run.volume.folder if run.volume else None
    handoffs = {d: handoff(d, LOCAL if d == "rows" else None, volume=folder) for d in ("raw", "rows", "n")}
    groups = by_tag(facts, "group.") if run.grouping.by == "tag" else by_node(facts)
    return graph_of(facts, groups, handoffs, Parameters(values=values))


def given(config: dict[str, Any], **more: Any) -> Any:
    run = RunConfig.model_validate({"image": "img:1", **config})
    rule = GroupingRule(config=run.grouping, handoffs={}, registered=REGISTERED)
    return settings_of(run, dag_of(run).steps, REGISTERED, rule=rule, **more)


def test_selectors_may_name_what_other_pipelines_have() -> None:
    config = {"timeout": {"other": 1, "tag:gpu": 2, "count": 3}, "grouping": "tag"}
    found = given({**config, "cache": {"group:late": True, "group:data": True}})
    assert (found["count"].timeout, found["data"].cache) == (3, True)
    assert set(found) == {*names.TASKS, "data", "count"}


def test_a_group_that_no_pipeline_has_is_refused() -> None:
    with pytest.raises(ConfigError, match="'group:latte' fits no node"):
        given({"grouping": "tag", "cache": {"group:latte": True}})
    with pytest.raises(ConfigError, match=r"'cuont' fits no node of the project. Did you mean 'count'"):
        given({"cache": {"cuont": True}})


def test_the_exit_task_has_what_its_pipelines_nodes_need_and_its_secrets() -> None:
    facts = node_facts(OTHER)
    run = RunConfig()
    step = graph_of(facts, by_node(facts), {d: handoff(d, None) for d in "nm"}, Parameters(values={})).steps[0]
    secret = SecretKey(secret="hooks", key="url")
    found = given(
        {
            "resources": {"tag:gpu": {"memory": "9Gi"}},
            "cache": True,
            "notifications": [{"type": "slack", "url_secret": {"name": "hooks", "key": "url"}}],
        },
        at_exit=AtExit(step=step),
        exit_task=names.END_RUN,
    )[names.END_RUN]
    assert (found.resources.memory_limit, found.cache) == ("9Gi", False)
    assert found.env == {"KEDRO_KUBEFLOW_NOTIFY_0": secret}
    assert run.cache == {}


@pytest.mark.parametrize(
    ("retry_policy", "retries"),
    [({"__default__": {"num_retries": 2}}, 0), ({"__default__": {"num_retries": 2}, "notify": {"num_retries": 1}}, 1)],
)
def test_messages_are_not_sent_twice_by_a_retry_that_was_meant_for_steps(
    retry_policy: dict[str, Any], retries: int
) -> None:
    found = given({"retry_policy": retry_policy}, at_exit=AtExit(), exit_task=names.NOTIFY)
    assert found[names.NOTIFY].retry.num_retries == retries
    assert found["count"].retry.num_retries == found[names.START_RUN].retry.num_retries == 2


def test_a_cached_step_on_the_volume_is_refused() -> None:
    with pytest.raises(ConfigError, match="'prepare' is cached and keeps files on the run's volume"):
        given({"volume": {}, "cache": {"prepare": True}})
    assert given({"volume": {}, "cache": {"prepare": False}})["prepare"].cache is False


def test_a_cached_image_that_may_change_is_spoken_of_once() -> None:
    run = RunConfig.model_validate({"image": "registry:5000/demo", "cache": True})
    dag = dag_of(run)
    found = cache_warnings(dag.steps, settings_of(run, dag.steps, REGISTERED))
    assert len(found) == 1
    assert "'registry:5000/demo' are cached" in found[0]
    assert not cache_warnings(dag.steps, settings_of(run, dag.steps, REGISTERED, image="demo:1.2"))


def test_a_variable_that_is_called_like_a_secret_is_spoken_of_without_its_value() -> None:
    variables = {
        "DB_PASSWORD": "s3cret",
        "API_KEY": {"secret": "api", "key": "k"},
        "LEVEL": "3",
        "AWS_SECRET_ACCESS_KEY": "x1y2",
    }
    found = plain_text_warnings(given({"env": {"__default__": variables}}))
    assert len(found) == 2
    assert "AWS_SECRET_ACCESS_KEY" in found[0]
    assert "DB_PASSWORD: {secret: NAME, key: KEY}" in found[1]
    assert "s3cret" not in "".join(found)


def test_parameters_that_stay_behind_are_part_of_the_key() -> None:
    with_params = Pipeline([node(lambda *x: x[0], ["raw", "params:big"], "rows", name="prepare")])
    facts, keys = node_facts(with_params), []
    for value in ("a", "b"):
        values = {"big": {1: value}}
        dag = graph_of(facts, by_node(facts), {d: handoff(d, None) for d in ("raw", "rows")}, Parameters(values=values))
        assert dag.steps[0].conf_parameters == ("big",)
        run = RunConfig.model_validate({"image": "i:1", "cache": True})
        keys.append(cache_keys(dag.steps, settings_of(run, dag.steps, {"p": with_params}), values))
    assert keys[0] != keys[1]
