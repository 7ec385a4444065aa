"""What belongs to the run is worked out in the run: resolvers, run-time parameters, the environment, as `kedro run` has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project

PIPELINE = """
from kedro.pipeline import Pipeline, node

def write(raw, options): return {"raw": raw, "options": options}
def follow(later): return later
def read(written, everything, derived, fresh, followed, region):
    return {
        "written": written, "parameters": everything, "derived": derived, "fresh": fresh, "followed": followed, "region": region,
    }

def create_pipeline():
    return Pipeline([
        node(write, ["raw", "params:options"], "written", name="write"),
        node(follow, "params:later", "followed", name="follow"),
        node(
            read,
            ["written", "parameters", "params:derived", "params:fresh", "followed", "params:region"],
            "report",
            name="read",
        ),
    ])
"""
SETTINGS = """
import os
from omegaconf.resolvers import oc
CONFIG_LOADER_ARGS = {
    "base_env": "base", "default_run_env": "local",
    "custom_resolvers": {"today": lambda: os.environ.get("TODAY", "?"), "oc.env": oc.env},
}
"""
CATALOG = {
    "raw": {"type": "json.JSONDataset", "filepath": "data/01_raw/${runtime_params:region,europe}.json"},
    "written": {"type": "json.JSONDataset", "filepath": "data/02/${today:}-${oc.env:API_KEY}.json"},
    "report": {"type": "json.JSONDataset", "filepath": "data/08/report.json"},
}
PARAMETERS = {
    "api": {"key": "${oc.env:API_KEY}", "retries": 3},
    "run_date": "${today:}",
    "limit": 4,
    "derived": {"twice": "${limit}-${limit}", "model": "${runtime_params:model,tree}"},
    "options": {"depth": 2, "since": "${today:}"},
    "fresh": "${runtime_params:fresh}",
    "later": ["${limit}", "${today:}"],
    "whole": "${oc.create:{day:${today:}}}",
    "inside": {"of_what_is_not_known": "${whole.day}", "known": 1},
    "text": "t",
}
DATA = {"data/01_raw/europe.json": '"europe"', "data/01_raw/asia.json": '"asia"'}
THEN = {"TODAY": "2026-01-01", "API_KEY": "key-of-the-compiler"}
NOW = {"TODAY": "2026-07-01", "API_KEY": "key-of-the-pod"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    return make_project(
        tmp_path_factory.mktemp("values"),
        pipelines=PIPELINE,
        catalog=CATALOG,
        parameters=PARAMETERS,
        settings=SETTINGS,
        data=DATA,
    )


def test_nothing_that_a_resolver_gives_is_in_the_compiled_file(project: KedroProject) -> None:
    done = project.kubeflow("compile", "-o", "-", "--params", "fresh=1,region=asia", env=THEN).ok()
    assert "2026-01-01" not in done.text
    assert "key-of-the-compiler" not in done.text
    assert "The parameter 'api' stays in the project's conf: ${oc.env:} gives its value when the step runs" in done.err
    assert "run_date" not in done.out


def test_a_step_that_a_resolver_gives_something_is_not_cached(project: KedroProject) -> None:
    project.conf("kubeflow", {"run_config": {"image": "x:1", "cache": {"__default__": True}}}, env="cached")
    done = project.kubeflow(
        "plan", "--output", "json", "-e", "cached", "--params", "fresh=1,region=europe", env=THEN
    ).ok()
    planned = json.loads(done.out)
    assert {step["title"]: step["cache"] for step in planned["steps"]} == {
        "write": False,
        "read": False,
        "follow": False,
    }
    assert any(note.startswith("The step 'write' is not cached: a resolver") for note in planned["notes"])


def test_so_is_one_whose_catalog_a_resolver_gives_something_and_no_other(project: KedroProject) -> None:
    project.conf("kubeflow", {"run_config": {"image": "x:1", "cache": {"__default__": True}}}, env="dated")
    words = ("plan", "--output", "json", "-e", "dated", "--params", "fresh=1,region=europe,later=given")
    assert _cached(project, words, "follow"), "nothing of it is the run's"
    project.conf("catalog", {"followed": {"type": "json.JSONDataset", "filepath": "data/${today:}.json"}}, env="dated")
    assert not _cached(project, words, "follow")


def _cached(project: KedroProject, words: tuple[str, ...], step: str) -> bool:
    planned = json.loads(project.kubeflow(*words, env=THEN).ok().out)
    [found] = [bool(one["cache"]) for one in planned["steps"] if one["title"] == step]
    return found


def test_no_run_is_called_as_a_resolver_says_here(project: KedroProject) -> None:
    nobody = {"host": "http://127.0.0.1:9", "run_config": {"image": "x:1"}}
    project.conf("kubeflow", nobody, env="far")
    for given in ("", ",text=${run_date}"):
        words = ("--params", f"fresh=1,region=europe{given}", "--run-name", "of {text}" if given else "of {run_date}")
        done = project.kubeflow("run-once", "-e", "far", *words, env=THEN).failed(2)
        assert "${today:}" in done.err
        assert "2026-01-01" not in done.text


def test_one_that_is_overridden_is_an_input_and_no_more_of_it(project: KedroProject) -> None:
    words = ("--params", "fresh=1,region=europe,api.retries=7,run_date=2020-02-02")
    done = project.kubeflow("compile", "-o", "-", *words, env=THEN).ok()
    assert "2020-02-02" in done.out
    assert "retries: 7" in done.out
    assert "key-of-the-compiler" not in done.text


def test_a_resolver_that_is_given_is_worked_out_in_the_run(project: KedroProject) -> None:
    words = ("--params", "fresh=1,region=europe,limit=${oc.env:API_KEY},text=${run_date}")
    done = project.kubeflow("compile", "-o", "-", *words, env=THEN).ok()
    assert "key-of-the-compiler" not in done.text
    assert "2026-01-01" not in done.text


def test_what_only_steps_know_need_not_be_known_where_it_is_compiled(project: KedroProject) -> None:
    done = project.kubeflow("compile", "-o", "-", "--params", "fresh=1,region=europe").ok()
    assert "${oc.env:API_KEY} in parameters*.yml fails here, and is left to the steps: KeyError" in done.err
    assert done.out == project.kubeflow("compile", "-o", "-", "--params", "fresh=1,region=europe", env=THEN).ok().out


def test_where_data_lies_is_not_guessed(project: KedroProject) -> None:
    entry = {"type": "json.JSONDataset", "filepath": "${oc.env:WHERE}/written.json"}
    project.conf("catalog", {"written": entry}, env="elsewhere")
    words = ("compile", "-o", "-", "-e", "elsewhere", "--params", "fresh=1,region=europe")
    done = project.kubeflow(*words, env=THEN).failed(2)
    assert "Where 'written' lies, which 'write' writes, cannot be told here" in done.err
    assert "filepath" not in project.kubeflow(*words, env={**THEN, "WHERE": "s3://there"}).ok().err


def test_given_parameters_that_do_not_go_together_with_the_projects_are_named(project: KedroProject) -> None:
    done = project.kubeflow("compile", "-o", "-", "--params", "fresh=1,region=europe,options=[1]", env=THEN).failed(2)
    assert "The given parameters do not go together with the project's: TypeError" in done.err
    assert "where: fresh, region, options, over conf, parameters*.yml" in done.err


def test_what_must_be_given_is_named_and_where_it_is_used(project: KedroProject) -> None:
    done = project.kubeflow("compile", "-o", "-", env=THEN).failed(2)
    assert "'fresh', and none is given" in done.err
    assert "${runtime_params:fresh} in parameters*.yml" in done.err


def test_a_typo_is_taken_as_kedro_takes_it_and_said(project: KedroProject) -> None:
    done = project.kubeflow(
        "compile", "-o", "-", "--params", "fresh=1,region=europe,limti=3,options.extra=1", env=THEN
    ).ok()
    assert "no parameter 'limti'; there is 'limit', if that is meant" in done.err
    assert "extra: 1" in done.out


WORDS = {
    "plain": "fresh=1,region=europe",
    "given": "fresh=2,region=asia,limit=5,options.depth=3,options.extra=1,model=forest,api.retries=1",
    "as text, and new ones in no order": "fresh=${today:},region=asia,text=\\${nothing},limit=${oc.env:API_KEY},"
    "zz.y=1,zz.a=2,aa=1,options.zz=1,options.bb=2",
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_steps_see_what_kedro_run_sees(project: KedroProject, words: str) -> None:
    project.kedro("run", "--params", words, env=NOW).ok()
    theirs = json.loads((project.path / "data/08/report.json").read_text())
    done = project.run_once("--params", words, env={**THEN, **NOW}).ok()
    # As text, so that the order of keys counts too.
    assert json.dumps(json.loads(Path(done.facts["steps"][-1]["outputs"]["report"]).read_text())) == json.dumps(theirs)
    assert THEN["API_KEY"] not in done.text
