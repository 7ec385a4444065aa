"""The contract: what compile time writes, run time reads."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedro_kubeflow.contract import ACTIONS, EXECUTOR_INPUT, Artifact, StepCall, runtime_arguments
from kedro_kubeflow.parameters import KFP_TYPES, Encoding

texts = st.text(max_size=20) | st.from_regex(r"[a-z_][a-z0-9_. -]{0,8}[a-z0-9]", fullmatch=True)
artifacts = st.builds(
    Artifact,
    name=texts,
    dataset=texts,
    how=st.sampled_from(["file", "memory", "metrics", "mlflow", "plot", "link"]),
    filename=texts,
    required=st.booleans(),
)
paths = st.lists(st.one_of(texts, st.integers(0, 9)), max_size=3).map(tuple)
encodings = st.builds(
    Encoding, key=texts, kind=st.sampled_from(sorted(KFP_TYPES)), floats=st.lists(paths, max_size=3).map(tuple)
)
calls = st.builds(
    StepCall,
    action=st.sampled_from(ACTIONS),
    step=texts,
    pipeline=texts,
    env=st.none() | texts,
    nodes=st.lists(texts, max_size=3).map(tuple),
    inputs=st.lists(artifacts, max_size=2).map(tuple),
    outputs=st.lists(artifacts, max_size=2).map(tuple),
    parameters=st.lists(st.tuples(texts, encodings), max_size=2).map(tuple),
    package=st.none() | texts,
    conf_source=st.none() | texts,
    tracking=st.booleans(),
    settings=st.dictionaries(
        texts, st.one_of(texts, st.booleans(), st.dictionaries(texts, texts, max_size=2)), max_size=3
    ),
)


@given(calls)
def test_a_call_survives_its_argv(call: StepCall) -> None:
    argv = call.to_argv()
    assert all(isinstance(word, str) for word in argv)
    assert StepCall.from_argv(runtime_arguments(argv)) == (call, EXECUTOR_INPUT)


@given(calls)
def test_only_the_executor_input_is_a_placeholder(call: StepCall) -> None:
    # Names of pipelines and environments are plain words; whatever stands in lists may come from anybody's catalog.
    argv = call.to_argv()
    lists = ("--nodes", "--inputs", "--outputs", "--parameters", "--settings", "--pipelines")
    for word in [word for option, word in itertools.pairwise(argv) if option in lists]:
        assert "$" not in word
        assert "{{" not in word


def test_plain_names_are_words_and_nothing_is_said_twice() -> None:
    call = StepCall(
        action="run",
        step="train",
        nodes=("train",),
        inputs=(Artifact("rows", "rows", "memory", "data.pkl"), Artifact("ns_x-1a2b3c4d", "ns.x", "file", "x.csv")),
        outputs=(Artifact("page", "page", "plot", "", required=False),),
        parameters=(("lr", Encoding("lr", "float")), ("a_b-1a2b3c4d", Encoding("a.b", "dict"))),
        env="base",
    )
    assert call.to_argv()[3:] == [
        *("run", "--step", "train", "--env", "base"),
        *("--inputs", "rows:memory,ns_x-1a2b3c4d=ns.x:file/x.csv", "--outputs", "page:plot?"),
        *("--parameters", "lr:float,a_b-1a2b3c4d=a.b:dict", "--executor-input", EXECUTOR_INPUT),
    ]


def test_arguments_of_the_first_version_are_still_read() -> None:
    argv = ["run", "--step", "g", "--pipeline", "__default__", "--nodes", '["a","b"]']
    argv += ["--inputs", '[ ["rows","rows","memory","data.pkl",true]]', "--parameters", '[ ["lr","lr","float",[]]]']
    call, _ = StepCall.from_argv([*argv, "--executor-input", "{}"])
    assert (call.nodes, call.inputs) == (("a", "b"), (Artifact("rows", "rows", "memory", "data.pkl"),))
    assert call.parameters == (("lr", Encoding("lr", "float")),)


def test_the_step_stands_literally_in_the_arguments() -> None:
    assert "ns.żółć" in StepCall(action="run", step="ns.żółć").to_argv()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "first argument"),
        (["fly", "--step", "x"], "first argument"),
        (["run", "--step", "x"], "executor_input"),
        (["run", "--step", "x", "--novel", "1", "--executor-input", "{}"], "novel"),
        (["run", "--step", "x", "--nodes", "[", "--executor-input", "{}"], "do not fit this version"),
        (["run", "stray", "--executor-input", "{}"], "stray"),
    ],
)
def test_arguments_of_another_version_are_refused(argv: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StepCall.from_argv(argv)


def test_a_foreign_command_is_no_call() -> None:
    with pytest.raises(ValueError, match="not a call"):
        runtime_arguments(["echo", "hello"])
