"""Names: valid where they go, and never two Kedro names to one."""

from __future__ import annotations

import doctest
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kedro_kubeflow import names
from kedro_kubeflow.errors import NameClash

AWKWARD = [
    "a_b",
    "a-b",
    "a.b",
    "a b",
    "a@b",
    "a:b",
    "a/b",
    "A_b",
    "ä_b",
    "1a",
    "_a",
    "a_",
    "a__b",
    "-",
    ".",
    "żółć",
    "🐧",
    "x" * 64,
    "x" * 65,
    "f__1748ba5a",
    "f-1748ba5a",
    "mlflow_start_run",
    "mlflow-start-run",
    "train\n",
    "train",
]
kedro_names = st.one_of(st.sampled_from(AWKWARD), st.text(min_size=1, max_size=90))
LABEL = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")


@given(kedro_names)
def test_task_names_are_dns_labels_that_start_with_a_letter(name: str) -> None:
    assert LABEL.fullmatch(names.task_name(name))


@given(kedro_names)
def test_field_names_are_what_kfp_takes_of_a_channel(name: str) -> None:
    assert FIELD.fullmatch(names.field_name(name))


@given(kedro_names, kedro_names)
@example("a_b", "a-b")
@example("f__1748ba5a", "f.1748ba5a")
def test_two_names_stay_two(one: str, other: str) -> None:
    if one != other:
        assert names.task_name(one) != names.task_name(other)
        assert names.field_name(one) != names.field_name(other)


def test_a_name_made_like_a_hashed_one_is_hashed_too() -> None:
    hashed = names.task_name("a.b")
    assert names.task_name(hashed.replace("-", "_")) != hashed
    assert names.task_name(hashed) != hashed


@pytest.mark.parametrize("reserved", sorted(names.RESERVED))
def test_no_step_can_take_the_name_of_the_frame(reserved: str) -> None:
    for name in (reserved, reserved.replace("-", "_"), reserved.upper()):
        assert names.task_name(name) not in names.RESERVED


@given(st.text(max_size=80), st.text(min_size=1, max_size=40))
def test_pipeline_names_leave_room_for_what_argo_appends(project: str, pipeline: str) -> None:
    name = names.pipeline_name(project, pipeline)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", name)
    assert len(name) <= 57


def test_plain_names_keep_their_look() -> None:
    assert names.task_name("split_data") == "split-data"
    assert names.field_name("X_train") == "X_train"


def test_a_clash_is_refused_by_both_names() -> None:
    with pytest.raises(NameClash, match=r"'one' and 'two' would both be called 'same'"):
        names.distinct(["one", "two"], lambda _: "same", "steps")


def test_two_names_with_the_same_slug_and_the_same_digits_are_refused() -> None:
    # A birthday among many names that differ only in marks that the slug drops: the digits alone keep them apart.
    seen: dict[str, str] = {}
    pair: tuple[str, str] | None = None
    marks = "._-~!"
    for number in range(400_000):
        digits = [marks[number // 5**place % 5] for place in range(9)]
        name = "a" + "".join(digits) + "b"
        short = names.task_name(name)
        if short in seen and seen[short] != name:
            pair = (seen[short], name)
            break
        seen[short] = name
    if pair is None:
        pytest.skip("no such pair among these names")
    with pytest.raises(NameClash):
        names.distinct(pair, names.task_name, "steps")


def test_the_examples_in_the_docstrings() -> None:
    failed, tried = doctest.testmod(names)
    assert tried
    assert not failed
