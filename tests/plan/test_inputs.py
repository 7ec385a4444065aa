"""Parameters of an uploaded version: what a step reads is what was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from kfp_server.specs import package

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.errors import ParameterError
from kedro_kubeflow.parameters import decode, encode, encoding_of
from kedro_kubeflow.project.overrides import read_overrides
from kedro_kubeflow.targets.kubeflow.inputs import every_input, inputs_of, run_inputs

DEFAULTS: dict[str, Any] = {
    "rate": 0.5,
    "depth": 3,
    "deep": {"a": {"b": 1.0, "c": 2}, "list": [1]},
    "maybe": None,
    "text": "{{mustache}}",
    "on": True,
}


def spec_of(defaults: dict[str, Any]) -> dict[str, Any]:
    """The part of a compiled pipeline that says what its inputs are, as a server gives it: through JSON."""
    encodings = {f"kfp_{key}": encoding_of(key, value) for key, value in defaults.items()}
    call = StepCall(action="run", step="train", parameters=tuple(encodings.items()))
    inputs = {
        name: {"parameterType": e.kfp_type, "defaultValue": encode(e, defaults[e.key])} for name, e in encodings.items()
    }
    argv = call.to_argv()
    spec = {
        "root": {"inputDefinitions": {"parameters": inputs}},
        "deploymentSpec": {
            "executors": {
                "exec-other": {"container": {"command": ["echo"], "args": ["hello"]}},
                "exec-train": {"container": {"command": argv[:3], "args": argv[3:]}},
            }
        },
    }
    read: dict[str, Any] = json.loads(json.dumps({"pipeline_spec": spec, "platform_spec": {}}))
    return read


@pytest.mark.parametrize(
    ("overrides", "read"),
    [
        ({"rate": 1}, {"rate": 1.0}),
        ({"depth": 7}, {"depth": 7}),
        ({"deep": {"a": {"b": 3.0}}}, {"deep": {"a": {"b": 3.0, "c": 2}, "list": [1]}}),
        ({"deep": {"list": [4, 5], "new": "x"}}, {"deep": {"a": {"b": 1.0, "c": 2}, "list": [4, 5], "new": "x"}}),
        ({"maybe": 3.0}, {"maybe": 3.0}),
        ({"maybe": {"any": ["thing"]}}, {"maybe": {"any": ["thing"]}}),
        ({"text": "other"}, {"text": "other"}),
        ({"on": False}, {"on": False}),
        ({}, {}),
    ],
)
def test_a_step_reads_what_was_asked_for(overrides: dict[str, Any], read: dict[str, Any]) -> None:
    spec = spec_of(DEFAULTS)
    encodings = {i.name: i.encoding for i in inputs_of(spec)}
    sent = json.loads(json.dumps(run_inputs(spec, overrides, where="here")))
    assert {encodings[name].key: decode(encodings[name], value) for name, value in sent.items()} == read


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        ({"rat": 1}, "takes no parameter 'rat'. Did you mean 'rate'?"),
        ({"depth": "deep"}, "'depth' does not fit: a whole number is expected"),
        ({"depth": True}, "'depth' does not fit"),
        ({"on": 1}, "'on' does not fit"),
        ({"deep": 3}, "'deep' does not fit: a mapping is expected"),
        ({"deep": {"new": None}}, "compile with it instead"),
    ],
)
def test_what_does_not_fit(overrides: dict[str, Any], what: str) -> None:
    with pytest.raises(ParameterError) as caught:
        run_inputs(spec_of(DEFAULTS), overrides, where="https://there")
    assert what in str(caught.value)
    assert caught.value.where == "https://there"


def test_a_pipeline_of_another_origin() -> None:
    spec = yaml.safe_load(str(package()))
    assert run_inputs(spec, {"rate": 0.25, "model": "forest"}, where="") == {"rate": 0.25, "model": "forest"}
    with pytest.raises(ParameterError, match="text is expected"):
        run_inputs(spec, {"model": 3}, where="")


def test_a_pipeline_without_inputs() -> None:
    assert list(inputs_of({"root": {}})) == []


@pytest.mark.parametrize(
    ("key", "value", "sent"),
    [
        (
            "text",
            "run of [[ScheduledTime.2006-01-02]] {{x}}",
            '"run of [[ScheduledTime.2006-01-02]] \\u007b\\u007bx\\u007d\\u007d"',
        ),
        ("maybe", ["[[Index]]", [["x"]]], '["[[Index]]", [ ["x"] ] ]'),
        ("deep", {"list": ["[[RunUUID]]"]}, {"a": {"b": 1.0, "c": 2}, "list": ["[[RunUUID]]"]}),
    ],
)
def test_macros_of_recurring_runs_pass_as_they_are(key: str, value: Any, sent: Any) -> None:
    given = run_inputs(spec_of(DEFAULTS), {key: value}, where="there", scheduled=True)
    assert given == {f"kfp_{key}": sent}


def test_a_macro_is_text_and_nothing_else() -> None:
    for key, kind in {
        "depth": "a whole number",
        "rate": "a number",
        "on": "true or false",
        "deep": "a mapping",
    }.items():
        with pytest.raises(
            ParameterError, match=f"becomes text when the run starts, and the parameter is {kind}"
        ) as caught:
            run_inputs(spec_of(DEFAULTS), {key: "[[Index]]"}, where="there", scheduled=True)
        assert "run-once" not in str(caught.value.cure), "which fills nothing in"


@pytest.mark.parametrize("given", ["text=[[ScheduledTime.2006-01-02]]", "maybe=[[Index]]", "deep.list=[a, [[Index]]]"])
def test_a_macro_without_quotes_is_no_list(given: str) -> None:
    overrides = read_overrides(None, [given], None)
    with pytest.raises(ParameterError, match=r"\]\] has no quotes") as caught:
        run_inputs(spec_of(DEFAULTS), overrides, where="there", scheduled=True)
    assert "quote it: --param" in str(caught.value.cure)


def test_another_type_than_before_is_refused_with_the_way_that_works() -> None:
    with pytest.raises(ParameterError, match=r"a whole number is expected, got 0\.5") as caught:
        run_inputs(spec_of(DEFAULTS), {"depth": 0.5}, where="there")
    assert "run-once --param 'depth=0.5'" in str(caught.value)


def test_every_input_is_sent_with_the_value_that_it_has() -> None:
    spec = spec_of({"rate": 0.5, "on": False, "api_token": "x", "max_tokens": 3})
    assert every_input(spec, {"kfp_rate": 0.1}) == {"kfp_rate": 0.1, "kfp_on": False, "kfp_max_tokens": 3}
    assert every_input(spec, {"kfp_api_token": "given"})["kfp_api_token"] == "given"


def test_text_that_looks_like_a_number_has_a_way() -> None:
    spec = spec_of({"text": "a"})
    with pytest.raises(ParameterError) as caught:
        run_inputs(spec, {"text": 3}, where="x")
    assert "--param 'text=\"3\"'" in str(caught.value.cure)
    assert run_inputs(spec, read_overrides(None, ['text="3"'], None), where="x") == {"kfp_text": "3"}


def test_what_refers_to_something_is_refused_by_what_is_compiled_already() -> None:
    spec = spec_of(DEFAULTS)
    for given in ({"text": "of ${limit}"}, {"deep": {"list": ["${oc.env:KEY}"]}}):
        with pytest.raises(ParameterError, match="is looked up when a pipeline is compiled") as caught:
            run_inputs(spec, given, where="there")
        assert "run-once --param" in str(caught.value.cure)
    [sent] = run_inputs(spec, {"text": r"costs \${USD}"}, where="there").values()
    assert json.loads(sent) == "costs ${USD}"
