"""What steps are given: alone, in groups, and the plugin's own tasks."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kedro_kubeflow.config.run_config import RunConfig
from kedro_kubeflow.config.selectors import Known
from kedro_kubeflow.config.settings import Settings, StepSettings
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.plan.grouping import NodeFacts
from kedro_kubeflow.plan.steps import Step

SMALL = NodeFacts("small", tags=frozenset({"cheap"}))
LARGE = NodeFacts("large", tags=frozenset({"gpu"}))
TASK = "mlflow-start-run"


def step(title: str, *nodes: NodeFacts) -> Step:
    return Step(name=title, display_name=title, nodes=nodes)


def settings(config: dict[str, Any], **more: Any) -> Settings:
    known = Known.of([SMALL, LARGE], groups=["both"], tasks=[TASK])
    return Settings(RunConfig.model_validate(config), known, **more)


def both(config: dict[str, Any]) -> StepSettings:
    return settings(config).of(step("both", SMALL, LARGE))


def test_nothing_is_asked_for_where_nothing_is_said() -> None:
    given = settings({}).of(step("small", SMALL))
    assert given == StepSettings()
    assert given.image_pull_policy == "IfNotPresent"


def test_a_group_needs_what_its_largest_member_needs() -> None:
    given = both(
        {
            "resources": {
                "__default__": {"cpu": "500m", "memory": "900Mi"},
                "large": {"cpu": 0.4, "memory": "1G"},
                "tag:gpu": {"nvidia.com/gpu": 2},
            },
            "retry_policy": {"small": {"num_retries": 1}, "large": {"num_retries": 3, "backoff_duration": "1m"}},
            "timeout": {"__default__": "1m", "large": "1h"},
            "tolerations": {
                "small": [{"key": "a", "operator": "Exists"}],
                "large": [{"key": "a", "operator": "Exists"}, {"key": "b", "operator": "Exists"}],
            },
            "env": {"small": {"A": "1"}, "large": {"B": "2"}},
            "cache": {"small": True},
        }
    )
    wanted = given.resources
    assert (wanted.cpu_request, wanted.memory_limit) == ("500m", "1G")
    assert (wanted.accelerator, wanted.accelerator_count) == ("nvidia.com/gpu", 2)
    assert (given.retry.num_retries, given.retry.backoff_duration) == (3, 60)
    assert given.timeout == 3660
    assert [t.key for t in given.tolerations] == ["a", "b"]
    assert given.env == {"A": "1", "B": "2"}
    assert given.cache is False
    assert given.origins["resources.memory.limit"] == "__default__, large"


def test_a_member_without_a_limit_takes_it_from_the_group() -> None:
    given = both({"resources": {"small": {"memory": "1Gi"}}, "timeout": {"small": 5}})
    assert (given.resources.memory_request, given.resources.memory_limit, given.timeout) == ("1Gi", None, None)


def test_what_is_said_of_the_group_itself_goes_first_key_by_key() -> None:
    given = both(
        {
            "resources": {"small": {"cpu": 1, "memory": "1Gi"}, "large": {"cpu": 2}, "both": {"memory": "8Gi"}},
            "image": "b:1",
            "images": {"small": "a:1", "group:both": "c:1"},
        }
    )
    assert (given.resources.cpu_limit, given.resources.memory_limit) == ("2", "8Gi")
    assert given.origins["resources.memory.limit"] == "both"
    assert given.image == "c:1", "what the members disagree about is settled"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"image": "b:1", "images": {"small": "a:1"}}, "all of them need the same"),
        ({"resources": {"small": {"amd.com/gpu": 1}, "large": {"nvidia.com/gpu": 1}}}, "different kinds of acc"),
        ({"node_selector": {"small": {"pool": "a"}, "large": {"pool": "b"}}}, "different values of 'pool'"),
        ({"env": {"small": {"KEY": "s3cret"}, "large": {"KEY": "other"}}}, "different values of 'KEY'"),
    ],
)
def test_members_that_cannot_be_reconciled_are_named(config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        both(config)
    assert "'small', 'large' share the step 'both'" in str(refused.value)
    assert "group:both" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_the_plugins_own_tasks_take_the_default_without_accelerators_and_cache() -> None:
    config = {
        "image": "a:1",
        "resources": {"__default__": {"cpu": 1, "nvidia.com/gpu": 1}, "*": {"memory": "64Gi"}},
        "cache": True,
        "image_pull_secrets": ["harbor"],
        "env": {"__default__": {"A": "1"}, TASK: {"A": "2"}},
    }
    given = settings(config).of_task(TASK)
    assert (given.image, given.image_pull_secrets, given.cache) == ("a:1", ("harbor",), False)
    assert given.resources.accelerator is None
    assert given.resources.memory_limit is None, "a glob is for steps"
    assert given.env == {"A": "2"}


def test_an_image_from_the_command_line_is_the_default_ones_successor() -> None:
    config = {"image": "a:1", "images": {"tag:gpu": "gpu:1"}}
    found = settings(config, image="b:2")
    assert found.of(step("small", SMALL)).image == "b:2"
    assert found.of(step("large", LARGE)).image == "gpu:1"


def test_a_request_over_its_limit_is_refused_for_the_step() -> None:
    config = {"resources": {"__default__": {"memory": "2Gi"}, "large": {"limits": {"memory": "1Gi"}}}}
    with pytest.raises(ConfigError, match="'large' requests 2Gi of memory, and its limit is 1Gi"):
        settings(config).of(step("large", LARGE))


def test_two_selectors_that_count_alike_are_named() -> None:
    node = NodeFacts("x", tags=frozenset({"cheap", "gpu"}))
    config = {"timeout": {"tag:cheap": 1, "tag:gpu": 2}}
    with pytest.raises(ConfigError, match="'tag:cheap' and 'tag:gpu' both fit the node 'x'"):
        settings(config).of(step("x", node))


def test_a_thousand_steps_named_one_by_one_take_no_time() -> None:
    nodes = [NodeFacts(f"node_{i}") for i in range(1000)]
    table = {node.name: {"cpu": 1} for node in nodes}
    since = time.perf_counter()
    found = Settings(RunConfig.model_validate({"resources": table}), Known.of(nodes))
    for node in nodes:
        assert found.of(step(node.name, node)).resources.cpu_limit == "1"
    assert time.perf_counter() - since < 5
