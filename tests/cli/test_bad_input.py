"""What users can get wrong, each with a clear error: what, where, the cure; an exit code; nothing half-written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kedro_project import KedroProject, make_project

NODES = (
    "from kedro.pipeline import Pipeline, node\ndef f(x): return x\ndef create_pipeline():\n    return Pipeline([{}])\n"
)


def compile_(project: KedroProject, *more: str) -> Any:
    done = project.kubeflow("compile", "-o", "out.yaml", *more)
    assert done.code == 0 or not (project.path / "out.yaml").exists()
    return done


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., KedroProject]:
    return lambda **options: make_project(tmp_path, **options)


@pytest.mark.parametrize(
    ("options", "words", "said"),
    [
        ({}, ["-p", "mian"], ["no pipeline 'mian'", "Did you mean 'main'?", "kedro registry list"]),
        (
            {"pipelines": "\nimport nope\n"},
            [],
            ["does not import: ModuleNotFoundError: No module named 'nope'", "pipelines/main/__init__.py, line 1"],
        ),
        ({"pipelines": "def x(:\n"}, [], ["does not import: SyntaxError", "pipelines/main/__init__.py, line 1"]),
        ({"kubeflow": None}, [], ["has no kubeflow.yml", "conf/base/kubeflow.yml", "`kedro kubeflow init` writes one"]),
        (
            {"kubeflow": {"run_config": {"image": "x", "imge": "y"}, "hots": "x"}},
            [],
            ["unknown key 'run_config.imge'. Did you mean 'image'", "unknown key 'hots'. Did you mean 'host'"],
        ),
        (
            {"kubeflow": {"run_config": {"image": 3, "image_pull_policy": "Sometimes"}}},
            [],
            ["'run_config.image'", "'run_config.image_pull_policy", "'Always', 'IfNotPresent' or 'Never'"],
        ),
        ({"kubeflow": {"host": "kf.example.com"}}, [], ["'host'", "no scheme", "https://kf.example.com"]),
        ({"kubeflow": {"run_config": {}}}, [], ["No image is configured", "run_config.image", "-i/--image"]),
        ({"kubeflow": {"run_config": {"image": "a b"}}}, [], ["'a b' is no image reference"]),
        (
            {"kubeflow": {"run_config": {"image": "x", "memory_dataset": {"filepath": "y", "type": "z"}}}},
            [],
            ["'run_config.memory_dataset'", "`filepath` is set for each step"],
        ),
        ({"pipelines": NODES.format("")}, [], ["'__default__' has no nodes"]),
        (
            {"pipelines": NODES.format("node(f,'data@a','mid',name='a'), node(f,'mid','data@b',name='b')")},
            [],
            ["CircularDependencyError", "'data@a'", "'data@b'"],
        ),
        (
            {"pipelines": NODES.format("node(f,'data@a','data@b',name='a')")},
            [],
            ["even if they are transcoded: {'data'}"],
        ),
        (
            {"pipelines": NODES.format("node(f,'a','b',name='a'), node(f,'b','c',name='a')")},
            [],
            ["must have unique names", "- a"],
        ),
        ({}, ["--params", "limit"], ["'limit' is no parameter", "key=value"]),
        ({}, ["--param", "limit={{x}}"], ["The value of the parameter 'limit' does not parse", "quote text"]),
        ({}, ["--param", "limit=[1"], ["The value of the parameter 'limit' does not parse"]),
        ({"parameters": {"limits": 3}}, [], ["node 'prepare' uses the parameter 'limit'", "Did you mean 'limits'?"]),
        ({}, ["--env", "prdo"], ["no configuration environment 'prdo'", "'base', 'local'"]),
        ({"catalog": {"raw": {"filepath": "x"}}}, [], ["catalog entry 'raw' has no `type`"]),
        ({"catalog": {"raw": "x"}}, [], ["catalog entry 'raw' has no `type`"]),
        (
            {"catalog": {"rows": {"type": "MemoryDataset", "metadata": {"kubeflow": {"artifact_type": "Modell"}}}}},
            [],
            ["'Modell' is no artifact type", "Did you mean 'Model'?", "dataset 'rows'"],
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_it_is_said(
    project: Callable[..., KedroProject], options: dict[str, Any], words: list[str], said: list[str]
) -> None:
    done = compile_(project(**options), *words).failed(2)
    for text in said:
        assert text in done.err, done.err


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "conf/base/kubeflow.yml",
            "a: [1\n",
            ["kubeflow configuration cannot be read", "conf/base/kubeflow.yml, line 2"],
        ),
        ("conf/base/kubeflow.yml", "- a\n", ["kubeflow"]),
        ("conf/base/kubeflow.yml", "run_config: {image: '${nope:x}'}\n", ["nope", "kubeflow*.yml"]),
        ("conf/base/catalog.yml", "raw: {type: x\n", ["catalog configuration cannot be read", "catalog.yml, line 2"]),
        (
            "conf/base/parameters.yml",
            "a: b: c\n",
            ["parameters configuration cannot be read", "parameters.yml, line 1"],
        ),
        ("more.yml", "- 1\n", ["must be a mapping", "more.yml"]),
        ("more.yml", "a: [1\n", ["cannot be read", "more.yml"]),
    ],
)
def test_malformed_files_are_named_with_their_line(
    project: Callable[..., KedroProject], file: str, text: str, said: list[str]
) -> None:
    made = project()
    made.write(file, text)
    words = ["--params-file", "more.yml"] if file == "more.yml" else []
    done = compile_(made, *words).failed(2)
    for expected in said:
        assert expected in done.err, done.err


def test_what_stood_in_the_output_stays_when_compiling_fails(project: Callable[..., KedroProject]) -> None:
    made = project(parameters={"other": 1})
    made.write("out.yaml", "kept")
    made.kubeflow("compile", "-o", "out.yaml").failed(2)
    assert (made.path / "out.yaml").read_text() == "kept"
    assert sorted(p.name for p in made.path.glob("*out.yaml*")) == ["out.yaml"]


def test_an_output_that_cannot_be_written_is_said(project: Callable[..., KedroProject]) -> None:
    made = project()
    made.write("file", "")
    done = made.kubeflow("compile", "-o", "file/out.yaml").failed(2)
    assert "cannot be written" in done.err


def test_images_without_conf_local_are_no_error(project: Callable[..., KedroProject]) -> None:
    made = project()
    shutil.rmtree(made.path / "conf" / "local")
    assert "--env" in compile_(made).ok().err or (made.path / "out.yaml").read_text().count("base")


def test_outside_of_a_project_there_is_no_such_command(tmp_path: Path) -> None:
    done = KedroProject(tmp_path).kedro("kubeflow", "compile")
    assert done.code == 2
    assert "No such command 'kubeflow'" in done.text


def test_a_tracking_server_that_is_down_is_said_before_anything_runs(project: Callable[..., KedroProject]) -> None:
    made = project(mlflow={"server": {"mlflow_tracking_uri": "http://127.0.0.1:9"}})
    done = made.kubeflow("run-once", "--local").failed(5)
    assert "The MLflow server does not answer" in done.err
    assert "http://127.0.0.1:9 (mlflow.yml, server.mlflow_tracking_uri)" in done.err
    assert not list((made.path / ".kubeflow").glob("runs/*"))


def test_settings_that_do_not_import_are_not_taken_for_none(tmp_path: Path) -> None:
    """Dynaconf, which reads them for Kedro, says nothing of an import that fails."""
    made = make_project(tmp_path, settings="import no_such_library\nHOOKS = ()\n")
    for words, code in ((["compile", "-o", "-"], 2), (["check"], 1)):
        done = made.kubeflow(*words).failed(code)
        assert "The project does not import: ModuleNotFoundError: No module named 'no_such_library'" in done.text
        assert "src/demo/settings.py, line 2" in done.text
