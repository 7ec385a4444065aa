"""Parameters by every name that Kedro takes, and those of one person's conf/local: steps see what `kedro run` sees."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project

PIPELINE = """
from dataclasses import dataclass
from kedro.pipeline import Pipeline, node

@dataclass
class Options:
    depth: int
    width: int = 7

def use(options: Options): return options.depth
def see(*values): return [repr(value) for value in values]
def all_of(parameters): return {repr(key): repr(value) for key, value in parameters.items()}

NAMES = ("a.b", "c.d.e", "classes.0", "classes.true", "1", "2.x", "options.width", "limit", "follows", "deep", "mine", "day")

def create_pipeline():
    return Pipeline([
        node(use, "params:options", "used", name="use"),
        node(see, ["used", *(f"params:{name}" for name in NAMES)], "seen", name="see"),
        node(all_of, "parameters", "everything", name="all_of"),
    ])
"""
# Kedro before 1.3 makes no models of what nodes' types say.
if find_spec("kedro.validation") is None:
    PIPELINE = PIPELINE.replace("options: Options", "options").replace("options.depth", "options['depth']")
    PIPELINE = PIPELINE.replace('"options.width", ', "")
SETTINGS = """
CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "local", "custom_resolvers": {"today": lambda: "2026-01-01"}}
"""
PARAMETERS = {
    "a.b": 1,
    "c": {"d.e": 2},
    "classes": {0: "cat", "true": "dog"},
    1: "one",
    2: {"x": [1.0]},
    "options": {"depth": 3},
    "limit": 4,
    "follows": "${limit}",
    "deep": {"limit": "${limit}", "other": 1},
    "day": "none",
}
LOCAL = {"limit": 5, "mine": {"of": "${limit}"}}
CATALOG = {name: {"type": "json.JSONDataset", "filepath": f"data/08/{name}.json"} for name in ("seen", "everything")}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(
        tmp_path_factory.mktemp("names"),
        pipelines=PIPELINE,
        catalog=CATALOG,
        parameters=PARAMETERS,
        settings=SETTINGS,
        data={},
    )
    made.conf("parameters", LOCAL, env="local")
    return made


@pytest.mark.parametrize("words", ["", "a.b=2", "c.d.e=3,options.depth=1", "limit=9,mine.new=1", "limit=5"])
def test_steps_see_what_kedro_run_sees(project: KedroProject, words: str) -> None:
    given = ("--params", words) if words else ()
    project.kedro("run", *given).ok()
    theirs = {name: json.loads((project.path / f"data/08/{name}.json").read_text()) for name in CATALOG}
    done = project.run_once(*given).ok()
    made = {name: path for step in done.facts["steps"] for name, path in step["outputs"].items()}
    assert {name: json.loads(Path(made[name]).read_text()) for name in CATALOG} == theirs


def test_a_name_that_is_not_text_is_no_input(project: KedroProject) -> None:
    done = project.kubeflow("compile", "-o", "-").ok()
    assert "The parameter '1' stays in the project's conf: its name is not text" in done.err
    project.conf("kubeflow", {"run_config": {"image": "x:1", "cache": {"__default__": True}}}, env="cached")
    project.conf("parameters", LOCAL, env="cached")
    project.kubeflow("compile", "-o", "-", "-e", "cached").ok()


@pytest.mark.parametrize("environment", [(), ("--env", "local")], ids=["by default", "by name"])
def test_what_steps_have_otherwise_without_conf_local_is_said(
    project: KedroProject, environment: tuple[str, ...]
) -> None:
    project.conf("parameters", {**LOCAL, "day": "${today:}", "mine": "of ${today:}"}, env="local")
    try:
        done = project.kubeflow("compile", "-o", "-", *environment).ok()
    finally:
        project.conf("parameters", LOCAL, env="local")
    assert "The parameter 'day' is another without conf/local, which images do not hold: steps use that one" in done.err
    assert "The parameter 'mine' stands in conf/local alone, which images do not hold: steps lack it" in done.err
    assert "The default of the parameter 'limit' comes from conf/local" in done.err


def test_another_default_environment_is_no_conf_local(tmp_path: Path) -> None:
    settings = 'CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "dev"}\n'
    made = make_project(tmp_path, settings=settings)
    made.conf("parameters", {"limit": 5}, env="dev")
    made.conf("parameters", {"limit": 6}, env="local")
    done = made.kubeflow("compile", "-o", "-").ok()
    assert "conf/local" not in done.err
    assert "--env dev" in " ".join(done.out.split()).replace("- ", "")


def test_environments_of_other_names(tmp_path: Path) -> None:
    made = make_project(
        tmp_path, settings='CONFIG_LOADER_ARGS = {"base_env": "common", "default_run_env": "dev"}\n', kubeflow=None
    )
    (made.path / "conf/base").rename(made.path / "conf/common")
    made.conf("parameters", {"limit": 5}, env="dev")
    assert "conf/common/kubeflow.yml" in made.kubeflow("compile").failed(2).err
    made.kubeflow("init").ok()
    assert (made.path / "conf/common/kubeflow.yml").is_file()
    assert "defaultValue: 5.0" in made.kubeflow("compile", "-o", "-").ok().out
