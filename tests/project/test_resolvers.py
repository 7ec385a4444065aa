"""Which values belong to the run, told from the configuration alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf
from omegaconf.basecontainer import BaseContainer

from kedro_kubeflow.errors import ConfigError, ParameterError
from kedro_kubeflow.project.known_parameters import with_marks
from kedro_kubeflow.project.resolvers import (
    Marked,
    check_given,
    defaults_of,
    kept_in_conf,
    read_marked,
    resolvers_in,
    unmarked,
)
from kedro_kubeflow.targets.base.run_name import fill_run_name


@pytest.fixture(autouse=True)
def _resolvers_of_its_own() -> Iterator[None]:
    before = dict(BaseContainer._resolvers)
    yield
    BaseContainer._resolvers = before


def read(folder: Path, **files: str) -> Marked:
    for name, text in files.items():
        (folder / "base").mkdir(exist_ok=True)
        (folder / "local").mkdir(exist_ok=True)
        (folder / "base" / f"{name}.yml").write_text(text)
    return read_marked(loader(folder))


def given(folder: Path, values: dict[str, Any]) -> Marked:
    return read_marked(loader(folder, values))


def loader(folder: Path, values: dict[str, Any] | None = None) -> OmegaConfigLoader:
    return OmegaConfigLoader(
        str(folder),
        runtime_params=values or {},
        base_env="base",
        default_run_env="local",
        custom_resolvers={"today": lambda: "2026-01-01", "settings": lambda: {"a": 1}},
    )


PARAMETERS = """
limit: 4
api: {key: "${oc.env:API_KEY}", retries: 3}
run_date: ${today:}
report: "report ${run_date}.html"
of_globals: ${globals:name}
dirty: ${globals:dirty}
same: ${limit}
listed: [1, {x: "${settings:}"}]
model: ${runtime_params:model}
path: data/${runtime_params:model}/x
region: ${runtime_params:region,asia}
"""
GLOBALS = 'name: demo\ndirty: "${today:}"\n'


def test_marks_follow_every_interpolation(tmp_path: Path) -> None:
    marked = read(tmp_path, parameters=PARAMETERS, globals=GLOBALS)
    assert marked.resolved("parameters") == {
        "api": ("oc.env",),
        "run_date": ("today",),
        "report": ("today",),
        "dirty": ("today",),
        "listed": ("settings",),
        "model": ("runtime_params",),
        "path": ("runtime_params",),
    }
    assert "model" not in kept_in_conf(marked), "it is the run-time parameter itself"
    assert "path" in kept_in_conf(marked)
    assert unmarked(marked.sections["parameters"]["report"]) == "report ….html"


def test_every_file_that_asks_is_heard(tmp_path: Path) -> None:
    marked = read(
        tmp_path,
        parameters=PARAMETERS,
        catalog="x: {type: json.JSONDataset, filepath: 's3://b/${runtime_params:region,europe}/${today:}.json'}",
        credentials="c: {user: '${oc.env:NOBODY}', password: '${runtime_params:password,none}'}",
        mlflow="tracking: {experiment: {name: '${runtime_params:experiment,demo}'}}",
        globals=GLOBALS,
        spark="x: ${runtime_params:cores,4}  # not ${runtime_params:commented}",
    )
    assert {name: (a.defaults, a.needed) for name, a in marked.asked.items()} == {
        "model": ((), True),
        "region": (("europe", "asia"), False),
        "password": (("none",), False),
        "experiment": (("demo",), False),
        "cores": ((), False),
    }
    assert defaults_of(marked.asked) == {"password": "none", "experiment": "demo"}
    assert resolvers_in(marked.sections["catalog"]["x"]) == ("today",)
    with pytest.raises(ParameterError, match="'model', and none is given"):
        check_given(marked.asked, {"region": "asia"})
    check_given(marked.asked, {"model": "tree"})


def test_what_something_else_looks_into_is_not_taken_for_plain(tmp_path: Path) -> None:
    text = "whole: ${settings:}\ninner: {a: '${whole.a}', b: ['${whole.b}', '${plain}']}\nplain: 1\nfollows: ${plain}\n"
    marked = read(tmp_path, parameters=text)
    assert set(kept_in_conf(marked)) == {"whole", "inner"}, "and what does not look into it is as plain as ever"
    assert unmarked(marked.sections["parameters"]["inner"]) == {"a": "…", "b": ["…", 1]}


@pytest.mark.parametrize(
    ("text", "referred"),
    [
        ("${limit}", {"limit"}),
        ("a ${ limit } of ${options.depth}", {"limit", "options"}),
        ("${options[depth]}", {"options"}),
        ("${add:${limit},${today:}}", {"limit"}),
        ("${oc.select:limit,${today:}}", {"limit"}),
        ("${oc.dict.keys:options}", {"options"}),
        ("${far}", {"far", "limit", "options"}),
        ("${today:}", set()),
        ("${${name}}", {"limit", "options", "far", "name"}),
        ("${..limit}", {"limit"}),
    ],
)
def test_what_a_text_refers_to(tmp_path: Path, text: str, referred: set[str]) -> None:
    others = "limit: 4\noptions: {depth: 1}\nfar: ['${limit}', {x: '${options.depth}'}]\nname: limit\n"
    marked = read(tmp_path, parameters=f"{others}it: ['{text}']\n")
    assert marked.referred["it"] == referred


def test_what_is_given_may_hold_resolvers(tmp_path: Path) -> None:
    read(tmp_path, parameters=PARAMETERS, globals=GLOBALS)
    found = kept_in_conf(given(tmp_path, {"limit": "${today:}", "run_date": "2020-02-02", "model": "tree"}))
    assert found == {
        "limit": ("today",),
        "same": ("today",),
        "api": ("oc.env",),
        "dirty": ("today",),
        "listed": ("settings",),
    }


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    read(tmp_path, parameters=PARAMETERS, globals=GLOBALS)
    assert not OmegaConf.has_resolver("oc.env")
    os.environ["KEDRO_TEST"] = "x"
    read_again = loader(tmp_path)
    read_again.runtime_params["model"] = "tree"
    with pytest.raises(Exception, match=r"oc\.env"):
        read_again["parameters"]


def test_no_name_of_a_run_holds_what_a_resolver_gives(tmp_path: Path) -> None:
    read(tmp_path, parameters=PARAMETERS, globals=GLOBALS)
    values = {"run_date": "2026-01-01", "api": {"key": "secret", "retries": 7}, "model": "tree", "path": "data/tree/x"}
    known = with_marks(given(tmp_path, {"api": {"retries": 7}, "model": "tree", "limit": "${today:}"}), values)
    assert fill_run_name("{api.retries} {model} {path}", known) == "7 tree data/tree/x"
    for template, said in {
        "of {run_date}": r"\$\{today:\}",
        "{api.key}": r"\$\{oc\.env:\}",
        "{api}": "oc.env",
        "{limit}": "today",
    }.items():
        with pytest.raises(ConfigError, match=said):
            fill_run_name(template, known)
    known = with_marks(given(tmp_path, {"run_date": "2020-02-02"}), {**values, "run_date": "2020-02-02"})
    assert fill_run_name("of {run_date}", known) == "of 2020-02-02"
