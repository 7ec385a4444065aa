"""Rules of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from kedro_kubeflow.errors import CompileError, ConfigError
from kedro_kubeflow.plan.grouping import Group, NodeFacts, by_custom

RULES = """
from kedro_kubeflow.plan.grouping import Group

def halves(nodes, *, at=1):
    names = [node.name for node in nodes]
    return [Group("left", names[:at]), Group("right", names[at:])]

class ByLetter:
    def __init__(self, position=0):
        self.position = position
    def __call__(self, nodes):
        letters = {}
        for node in nodes:
            letters.setdefault(node.name[self.position], []).append(node.name)
        return (Group(letter, names) for letter, names in letters.items())

def wrong(nodes):
    return {"a": ["b"]}

def broken(nodes):
    raise KeyError("team")

NOT_CALLABLE = 3
"""
NODES = [NodeFacts("ax"), NodeFacts("ay"), NodeFacts("bx")]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Group]]:
    (tmp_path / "own_rules.py").write_text(RULES)
    monkeypatch.syspath_prepend(tmp_path)

    def by(name: str, nodes: Sequence[NodeFacts] = NODES, **params: object) -> list[Group]:
        return by_custom(nodes, f"own_rules.{name}", params)

    return by


def test_a_function(ask: Callable[..., list[Group]]) -> None:
    assert ask("halves", at=2) == [Group("left", ("ax", "ay")), Group("right", ("bx",))]


def test_a_class(ask: Callable[..., list[Group]]) -> None:
    assert ask("ByLetter") == [Group("a", ("ax", "ay")), Group("b", ("bx",))]
    assert ask("ByLetter", position=1) == [Group("x", ("ax", "bx")), Group("y", ("ay",))]


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("missing", ConfigError, "own_rules.missing cannot be loaded: AttributeError"),
        ("NOT_CALLABLE", ConfigError, "is of type int, and cannot be called"),
        ("wrong", CompileError, "gave str 'a'"),
        ("broken", CompileError, "own_rules.broken failed: KeyError: 'team'"),
    ],
)
def test_what_can_go_wrong(ask: Callable[..., list[Group]], name: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        ask(name)


def test_params_that_it_does_not_take(ask: Callable[..., list[Group]]) -> None:
    with pytest.raises(CompileError, match="TypeError"):
        ask("halves", size=3)


def test_a_module_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="No module named 'nowhere'"):
        by_custom(NODES, "nowhere.rule", {})
