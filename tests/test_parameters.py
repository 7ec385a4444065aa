"""Parameters: what goes into KFP's types comes out as it was, through protobuf and JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from google.protobuf import json_format, struct_pb2
from hypothesis import example, given
from hypothesis import strategies as st

from kedro_kubeflow.parameters import (
    KFP_TYPES,
    VERTEX_JOB,
    Encoding,
    NotPortableError,
    coerce,
    decode,
    encode,
    encoding_of,
    ordered_like,
)

texts = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(
        ["{{workflow.name}}", "{{$}}", "$(x)", "$$", "[[ScheduledTime]]", "/kfp-workspace/x", '"', "\\", "null"]
    ),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


def travel(value: Any) -> Any:
    """What a value has become when a step reads it: KFP keeps inputs as protobuf values and hands out their JSON."""
    message = json_format.ParseDict(value, struct_pb2.Value())
    return json.loads(json.dumps(json_format.MessageToDict(message)))


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types at any depth."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    return bool(one == other) and (not isinstance(one, float) or math.copysign(1, one) == math.copysign(1, other))


@given(values)
@example(3)
@example(3.0)
@example(-0.0)
@example(2**53 + 1)
@example({"a": [1.0, {"b": None}]})
@example([1.0] * 100)
@example(float("inf"))
def test_round_trip(value: Any) -> None:
    encoding = encoding_of("key", value)
    assert same(decode(encoding, travel(encode(encoding, value))), value)


@given(values)
def test_no_template_engine_finds_a_mark(value: Any) -> None:
    encoding = encoding_of("key", value)
    if encoding.kind in ("str", "json"):
        sent = str(encode(encoding, value))
        for mark in ("{{", "}}", "$(", "$$", "[[", "]]", "/kfp-workspace"):
            assert mark not in sent


@pytest.mark.parametrize(
    ("value", "kfp_type"),
    [
        (True, "BOOLEAN"),
        (3, "NUMBER_INTEGER"),
        (3.0, "NUMBER_DOUBLE"),
        ("x", "STRING"),
        ([1], "LIST"),
        ({"a": 1}, "STRUCT"),
        (None, "STRING"),
    ],
)
def test_types_are_kfps_own(value: Any, kfp_type: str) -> None:
    assert encoding_of("key", value).kfp_type == kfp_type


def test_a_whole_number_that_went_through_a_struct_is_an_int_again() -> None:
    assert same(decode(Encoding("key", "int"), 3.0), 3)
    assert same(decode(Encoding("key", "dict", (("b",),)), {"a": 3.0, "b": 4}), {"a": 3, "b": 4.0})


def test_a_structure_that_was_edited_in_the_ui_is_taken_as_it_is() -> None:
    encoding = encoding_of("key", {"a": [1.0, 2.0], "b": 1.0})
    assert same(decode(encoding, {"a": [5], "c": 2}), {"a": [5.0], "c": 2})


def test_keys_come_back_in_the_projects_order() -> None:
    model = {"z": 1, "a": {"y": 1, "b": [{"q": 1, "c": 2}]}}
    received = {"new": 1, "a": {"b": [{"c": 2, "q": 1}], "y": 1}, "another": 2, "z": 1}
    ordered = ordered_like(received, model)
    assert json.dumps(ordered) == json.dumps({"z": 1, "a": {"y": 1, "b": [{"q": 1, "c": 2}]}, "another": 2, "new": 1})


@pytest.mark.parametrize(
    ("value", "model", "kind"),
    [
        ({"a": 1, "b": 2}, None, "dict"),
        ({"b": 1, "a": 2}, None, "json"),
        ({"b": 1, "a": 2}, {"b": 0, "a": 0}, "dict"),
        ({"b": 1, "new": 3, "a": 2}, {"b": 0, "a": 0}, "json"),
        ({"b": 1, "a": 2, "newer": 4, "new": 3}, {"b": 0, "a": 0}, "json"),
        ({"b": 1, "a": 2, "new": 3, "newer": 4}, {"b": 0, "a": 0}, "dict"),
        ([{"b": 1, "a": 2}], [{"b": 0, "a": 0}], "list"),
        ([1, {"b": 1, "a": 2}], [1], "json"),
    ],
)
def test_keys_in_an_order_that_the_project_does_not_know_travel_as_text(value: Any, model: Any, kind: str) -> None:
    encoding = encoding_of("key", value, model=model)
    assert encoding.kind == kind
    received = decode(encoding, json.loads(json.dumps(travel(encode(encoding, value)), sort_keys=True)))
    settled = ordered_like(received, model) if kind != "json" else received
    assert json.dumps(settled) == json.dumps(value)


@pytest.mark.parametrize("typed", ["plain text", "{{x", '"quoted'])
def test_text_typed_over_a_json_input_is_that_text(typed: str) -> None:
    assert decode(Encoding("key", "json"), typed) == typed


class Odd(str):
    """Not a plain string."""


@pytest.mark.parametrize(
    "value", [{1: 2}, {"a": {1, 2}}, object(), (1, 2), Odd("x"), b"x"], ids=lambda v: type(v).__name__
)
def test_what_is_not_json_stays_behind(value: Any) -> None:
    with pytest.raises(NotPortableError):
        encoding_of("key", value)


def test_a_run_time_value_must_fit_the_uploaded_type() -> None:
    assert coerce(Encoding("key", "float"), 3) == 3
    assert json.loads(coerce(Encoding("key", "json"), None)) is None
    with pytest.raises(ValueError, match="a whole number is expected"):
        coerce(Encoding("key", "int"), "three")
    with pytest.raises(ValueError, match="a whole number is expected"):
        coerce(Encoding("key", "int"), True)
    with pytest.raises(ValueError, match="compile with it"):
        coerce(Encoding("key", "str"), "{{x}}")


def test_every_kind_has_a_type_that_kfp_knows() -> None:
    from kfp.pipeline_spec import pipeline_spec_pb2 as ir

    assert {ir.ParameterType.ParameterTypeEnum.Value(t) for t in KFP_TYPES.values()}


DAY = "{{$.pipeline_job_schedule_time_utc}}"


@pytest.mark.parametrize(
    ("value", "kind", "sent"),
    [
        (DAY, "str", DAY),
        (f"rows of {DAY}", "str", f"rows of {DAY}"),
        ({"day": DAY, "n": 1}, "dict", {"day": DAY, "n": 1}),
        ([None, DAY], "json", f'[null, "{DAY}"]'),
        ("{{$.inputs}}", "json", '"\\u007b\\u007b\\u0024.inputs\\u007d\\u007d"'),
    ],
)
def test_what_vertex_ai_fills_in_goes_as_it_is_where_it_does(value: Any, kind: str, sent: Any) -> None:
    encoding = encoding_of("key", value, macros=VERTEX_JOB)
    assert (encoding.kind, encode(encoding, value, macros=VERTEX_JOB)) == (kind, sent)
    assert DAY not in str(encode(encoding_of("key", value), value))
