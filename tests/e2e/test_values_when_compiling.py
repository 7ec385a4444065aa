"""What is said of parameters when compiling: values of one person, values that do not fit, new ones."""

from __future__ import annotations

import pytest
from kedro_project import KedroProject, make_project

PIPELINE = """
from kedro.pipeline import Pipeline, node
from pydantic import BaseModel

class Options(BaseModel):
    depth: int

def use(options: Options, limit, run_date): return limit

def create_pipeline():
    return Pipeline([node(use, ["params:options", "params:limit", "params:run_date"], "used", name="use")])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(
        tmp_path_factory.mktemp("compiling"),
        pipelines=PIPELINE,
        catalog={},
        parameters={"options": {"depth": 3}, "limit": 4, "same": 1},
    )
    made.conf("parameters", {"limit": 5, "same": 1}, env="local")
    return made


def test_a_value_of_conf_local_is_said_to_travel(project: KedroProject) -> None:
    done = project.kubeflow("compile", "-o", "-", "--params", "run_date=2026-01-01").ok()
    assert "The default of the parameter 'limit' comes from conf/local" in done.err
    assert "'same'" not in done.err


def test_what_steps_have_otherwise_without_conf_local_is_said(project: KedroProject) -> None:
    project.conf("globals", {"bucket": "everybodys"})
    project.conf("catalog", {"used": {"type": "json.JSONDataset", "filepath": "s3://${globals:bucket}/used.json"}})
    words = ("compile", "-o", "-", "--params", "run_date=2026-01-01,options.more=1")
    assert "comes from conf/local" not in project.kubeflow(*words, "-e", "base").ok().err
    project.conf("globals", {"bucket": "mine"}, env="local")
    project.conf("parameters", {"limit": 5, "same": 1, "options": {"depth": 3, "own": 1}}, env="local")
    done = project.kubeflow(*words).ok()
    assert "The catalog entry of 'used' is another without conf/local" in done.err
    assert "The default of the parameter 'options' comes from conf/local" in done.err, "but for what is given"


def test_what_looks_like_a_secret_and_can_be_read_is_said(project: KedroProject) -> None:
    words = (
        "--params",
        "run_date=2026-01-01,options.api_key=s3cr3t,options.password=${options.api_key},options.token=",
    )
    done = project.kubeflow("compile", "-o", "-", *words).ok()
    assert (
        "The value of the parameter 'options.api_key' stands in the compiled pipeline for everybody to read" in done.err
    )
    assert "'options.token' stands" not in done.err
    assert "s3cr3t" not in done.err


def test_one_that_conf_lacks_and_a_node_uses_can_be_given(project: KedroProject) -> None:
    done = project.kubeflow("compile", "-o", "-").failed(2)
    assert "uses the parameter 'run_date', which the project does not have" in done.err


def test_a_value_that_does_not_fit_its_type_is_refused_at_once(project: KedroProject) -> None:
    pytest.importorskip("kedro.validation", reason="Kedro before 1.3 holds no parameter against its type")
    done = project.kubeflow("compile", "-o", "-", "--params", "run_date=x,options.depth=deep").failed(2)
    assert "'options'" in done.err
    assert "depth" in done.err
