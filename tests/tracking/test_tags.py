from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import MlflowServer
from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient

from kedro_kubeflow.errors import StepError
from kedro_kubeflow.tracking import tags

AWKWARD = [
    "étape",
    "etape",
    "e\u0301tape",
    "schritt.größe",
    "a b",
    "a_b",
    "a(b)",
    "a<b>",
    "<lambda>__58456c12",
    "日本",
    "a/b",
]


@given(st.lists(st.text(min_size=1, max_size=300), unique=True, max_size=20))
def test_no_two_steps_share_a_tag(steps: list[str]) -> None:
    keys = [tags.step_key(step) for step in steps]
    assert len(set(keys)) == len(keys)
    assert all(len(key) <= tags.MAX_KEY for key in keys)
    assert all(re.fullmatch(r"[/\w.\- :]*", key) for key in keys)


@given(st.from_regex(r"[a-z][a-z0-9_.]{0,40}", fullmatch=True))
def test_plain_names_stay(step: str) -> None:
    assert tags.step_key(step) == f"kubeflow_step.{step}"


def test_a_name_that_looks_hashed_is_not_taken_for_another() -> None:
    hashed = tags.step_key("étape").removeprefix(tags.STEP_PREFIX)
    assert tags.step_key(hashed) != tags.step_key("étape")


def test_mlflow_takes_them_all(mlflow_server: MlflowServer) -> None:
    client = MlflowClient(mlflow_server.uri)
    run = client.create_run("0")
    wanted = {tags.step_key(step): f"running {step}" for step in AWKWARD}
    tags.write(client, run.info.run_id, {**wanted, tags.ERROR: "x" * 20_000})
    written = client.get_run(run.info.run_id).data.tags
    assert {key: written[key] for key in wanted} == wanted
    assert tags.steps_in(written) == wanted
    assert len(written[tags.ERROR]) == tags.MAX_VALUE


def test_erasing_what_is_not_there_is_no_error(mlflow_server: MlflowServer) -> None:
    client = MlflowClient(mlflow_server.uri)
    run = client.create_run("0", tags={tags.ERROR: "x", tags.PIPELINE: "p"})
    tags.erase(client, run.info.run_id, tags.ERROR, tags.FAILED_NODE)
    written = client.get_run(run.info.run_id).data.tags
    assert tags.ERROR not in written
    assert written[tags.PIPELINE] == "p"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (KeyError("x"), "KeyError: 'x'"),
        (RuntimeError(), "RuntimeError"),
        (StepError("It broke", where="node 'x'", cure="mend it"), "StepError: It broke"),
        (OSError("cannot reach postgresql://ann:hunter2@db/x"), "OSError: cannot reach postgresql://[redacted]@db/x"),
    ],
)
def test_one_line(error: BaseException, line: str) -> None:
    assert tags.one_line(error) == line


def test_a_long_error_is_cut() -> None:
    line = tags.one_line(ValueError("y" * 10_000))
    assert len(line) == tags.MAX_LINE
    assert line.endswith("…")


def test_every_tag_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/tags.md").read_text("utf-8")
    names = [
        value
        for value in vars(tags).values()
        if isinstance(value, str) and re.match("kubeflow_|vertexai_|mlflow[.]", value)
    ]
    assert len(names) >= 14
    assert [name for name in names if f"`{name}" not in page] == []
