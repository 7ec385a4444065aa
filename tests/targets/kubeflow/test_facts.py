from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kedro_kubeflow.targets.kubeflow.facts import LONGEST, describe, fact


def test_facts_stand_below_the_text() -> None:
    text = describe("What it is for.", {"project": "demo", "env": "", "spec": "abc"})
    assert text == "What it is for.\n\nproject: demo\nspec: abc"
    assert describe("", {"spec": "abc"}) == "spec: abc"


def test_a_long_text_is_cut_but_never_the_facts() -> None:
    text = describe("x" * 10_000, {"spec": "abc"})
    assert len(text) < LONGEST + 50
    assert fact(text, "spec") == "abc"


def test_no_description_no_fact() -> None:
    assert fact(None, "spec") is None
    assert fact("my spec: is no fact", "spec") is None


@given(st.text(), st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1))
def test_a_fact_is_read_as_it_was_written(text: str, value: str) -> None:
    assert fact(describe(text, {"spec": value}), "spec") == value
