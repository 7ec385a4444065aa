"""Selectors: which fits, which counts more, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedro_kubeflow.config.selectors import AmbiguousError, Known, Table, checked
from kedro_kubeflow.errors import ConfigError


@dataclass(frozen=True)
class Node:
    name: str
    tags: frozenset[str] = frozenset()
    namespace: str | None = None


TRAIN = Node("eu.train_model", frozenset({"gpu", "slow"}), "eu.models")
SPLIT = Node("split_data", frozenset({"cheap"}))
KNOWN = Known.of([TRAIN, SPLIT], groups=["models"], tasks=["mlflow-start-run"])

ORDER = [
    "__default__",
    "namespace:eu",
    "namespace:eu.models",
    "tag:gpu",
    "*train*",
    "eu.train_*",
    "eu.train_model",
]


def value_for(node: Node, *selectors: str, title: str | None = None) -> Any:
    table = Table({selector: {"": selector} for selector in selectors})
    chosen = table.of_node(node, title or node.name)
    return chosen[""].value if chosen else None


@given(st.sets(st.sampled_from(ORDER), min_size=1), st.randoms(use_true_random=False))
def test_the_one_that_counts_most_wins_wherever_it_stands(selectors: set[str], random: Any) -> None:
    shuffled = list(selectors)
    random.shuffle(shuffled)
    assert value_for(TRAIN, *shuffled) == max(selectors, key=ORDER.index)


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("namespace:e", False),
        ("namespace:eu.models.deep", False),
        ("tag:cheap", False),
        ("*split*", False),
        ("models", False),
        ("models*", True),
        ("[e]u.*", True),
        ("group:eu.train_model", False),
    ],
)
def test_what_fits_a_node_of_a_group(selector: str, fits: bool) -> None:
    assert (value_for(TRAIN, selector, title="models") is not None) is fits


def test_mappings_are_put_together_key_by_key_and_null_takes_back() -> None:
    table = Table(
        {
            "__default__": {"cpu": 1, "memory": "1Gi"},
            "tag:gpu": {"gpu": 1, "memory": "4Gi"},
            "eu.train_model": {"cpu": None},
        }
    )
    chosen = table.of_node(TRAIN, TRAIN.name)
    assert {key: c.value for key, c in chosen.items()} == {"cpu": None, "memory": "4Gi", "gpu": 1}
    assert {key: c.selector for key, c in chosen.items()} == {
        "cpu": "eu.train_model",
        "memory": "tag:gpu",
        "gpu": "tag:gpu",
    }


def test_two_tags_may_say_different_things_but_not_of_one_key() -> None:
    fine = Table({"tag:gpu": {"gpu": 1}, "tag:slow": {"timeout": 9}}).of_node(TRAIN, TRAIN.name)
    assert set(fine) == {"gpu", "timeout"}
    assert Table({"tag:gpu": {"": 1}, "tag:slow": {"": 1}}).of_node(TRAIN, TRAIN.name)[""].value == 1
    with pytest.raises(AmbiguousError, match=r"'tag:gpu' and 'tag:slow'"):
        Table({"tag:gpu": {"": 1}, "tag:slow": {"": 2}}).of_node(TRAIN, TRAIN.name)


def test_a_group_is_named_with_and_without_its_prefix() -> None:
    table = Table({"models": {"a": 1, "b": 1}, "group:models": {"a": 2}})
    assert {key: c.value for key, c in table.of_group("models").items()} == {"a": 2, "b": 1}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("__default__", "__default__"),
        ("split_data", "split_data"),
        ("split-data", "split_data"),
        ("eu-train-model", "eu.train_model"),
        ("mlflow-start-run", "mlflow-start-run"),
        ("models", "models"),
        ("group:models", "group:models"),
        ("tag:gpu", "tag:gpu"),
        ("namespace:eu", "namespace:eu"),
        ("split_*", "split_*"),
    ],
)
def test_what_a_selector_means(written: str, meant: str) -> None:
    assert checked({written: 1}, KNOWN, where="x") == {meant: 1}


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("split_dta", "'split_data'"),
        ("gpu", "'tag:gpu'"),
        ("tag:gpus", "'tag:gpu'"),
        ("namespace:eu.model", "'namespace:eu.models'"),
        ("group:model", "Known"),
        ("trian_*", "fits no node"),
    ],
)
def test_a_selector_that_fits_nothing_is_refused_with_the_nearest(written: str, hint: str) -> None:
    with pytest.raises(ConfigError, match="fits no node") as refused:
        checked({written: 1}, KNOWN, where="kubeflow.yml, run_config.cache")
    assert hint in str(refused.value)
    assert "run_config.cache" in str(refused.value)
