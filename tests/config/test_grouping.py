"""`run_config.grouping`, and the keys that it follows."""

from __future__ import annotations

from typing import Any

import pytest

from kedro_kubeflow.config.grouping import GroupingConfig
from kedro_kubeflow.config.kubeflow import read_config
from kedro_kubeflow.errors import ConfigError


def grouping(value: Any = None, **run_config: Any) -> GroupingConfig:
    given = {"grouping": value} if value is not None else {}
    return read_config({"run_config": {**given, **run_config}}).run_config.grouping


def test_each_node_has_its_step_where_nothing_is_said() -> None:
    assert grouping() == GroupingConfig(by="node", runner="sequential")


def test_a_name_alone_is_enough() -> None:
    assert grouping("namespace") == GroupingConfig(by="namespace", depth=1)
    assert grouping("my_package.rules.by_team").by == "my_package.rules.by_team"


@pytest.mark.parametrize(
    "value",
    [
        {"by": "namespace", "depth": 3},
        {"by": "tag", "prefix": "step."},
        {"by": "pipeline", "pipelines": ["a", "b"]},
        {"by": "my_package.rules.ByTeam", "params": {"team": "x"}},
        {"by": "all", "runner": "thread", "max_workers": 4},
        {"by": "memory", "runner": "parallel"},
    ],
)
def test_what_belongs_to_a_rule(value: dict[str, Any]) -> None:
    found = grouping(value).model_dump(exclude_unset=True, mode="json")
    assert found == value


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("namespaces", "there is no grouping by 'namespaces'. Did you mean 'namespace'?"),
        ({"by": "tag", "depth": 2}, "`depth` is for `by: namespace`, and this is `by: tag`"),
        ({"by": "node", "prefix": "x"}, "`prefix` is for `by: tag`"),
        ({"by": "all", "pipelines": ["x"]}, "`pipelines` is for `by: pipeline`"),
        ({"by": "tag", "params": {"x": 1}}, "`params` is for a rule of your own"),
        ({"by": "namespace", "depth": 0}, "'run_config.grouping.depth'"),
        ({"by": "tag", "prefix": ""}, "'run_config.grouping.prefix'"),
        ({"by": "all", "runner": "process"}, "'sequential', 'thread' or 'parallel'"),
        ({"by": "all", "max_workers": 2}, "`max_workers` is for `runner: thread`"),
        ({"by": "tag", "preffix": "x"}, "unknown key 'run_config.grouping.preffix'. Did you mean 'prefix'"),
        (
            {"cls": "kedro_vertexai.grouping.TagNodeGrouper", "params": {"tag_prefix": "group."}},
            "`cls` is an old key; its successor is `by: tag`, with its `tag_prefix` as `prefix`",
        ),
        ({"cls": "kedro_vertexai.grouping.IdentityNodeGrouper"}, "its successor is `by: node`"),
        ({"cls": "own.Grouper"}, "its successor is `by`, which takes its import path"),
    ],
)
def test_what_does_not(value: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        grouping(value)
    assert said in str(caught.value)


@pytest.mark.parametrize(("old", "now"), [("none", "node"), ("full", "all")])
def test_the_old_key_is_read(old: str, now: str) -> None:
    assert grouping(node_merge_strategy=old).by == now


def test_the_old_key_with_the_new_one_or_another_value_is_refused() -> None:
    with pytest.raises(ConfigError, match="`node_merge_strategy` is the old name of `grouping`"):
        grouping("tag", node_merge_strategy="full")
    with pytest.raises(ConfigError, match="`node_merge_strategy` is 'some'; it was `none`"):
        grouping(node_merge_strategy="some")
