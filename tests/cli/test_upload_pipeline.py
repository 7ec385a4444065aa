from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
from kedro_project import KedroProject
from kfp_server import Answer, KfpServer, Reset

from cli.conftest import Kedro


def test_a_pipeline_and_its_link(server: KfpServer, kedro: Kedro) -> None:
    done = kedro("upload-pipeline").ok()
    [pipeline], [version] = server.pipelines.pipelines.values(), server.pipelines.versions.values()
    ids = (pipeline["pipeline_id"], version["pipeline_version_id"])
    assert done.out == f"{server.url}/#/pipelines/details/{ids[0]}/version/{ids[1]}\n"
    assert "Made the pipeline 'demo'" in done.err
    assert version["pipeline_version_id"] in done.err
    assert pipeline["display_name"] == "Demo"
    assert pipeline["tags"]["project"] == "Demo"
    assert set(version["pipeline_spec"]["root"]["dag"]["tasks"]) == {"prepare", "double", "total"}


def test_as_json(server: KfpServer, kedro: Kedro) -> None:
    made = kedro("upload-pipeline", "--output", "json").ok().json
    again = kedro("upload-pipeline", "--output", "json").ok().json
    forced = kedro("upload-pipeline", "--output", "json", "--force").ok().json
    assert [u["made"] for u in (made, again, forced)] == ["pipeline", "nothing", "version"]
    assert again["version_id"] == made["version_id"] != forced["version_id"]
    assert forced["link"] == f"{server.url}/#/pipelines/details/{made['pipeline_id']}/version/{forced['version_id']}"


def test_the_same_again_says_so(kedro: Kedro) -> None:
    kedro("upload-pipeline").ok()
    assert "nothing was uploaded" in kedro("upload-pipeline").ok().err


def test_another_image_another_version(server: KfpServer, kedro: Kedro) -> None:
    kedro("upload-pipeline").ok()
    assert "Made the version" in kedro("upload-pipeline", "-i", "registry.example.com/demo:2").ok().err
    assert len(server.pipelines.versions) == 2


def test_parameters_are_compiled_in(server: KfpServer, kedro: Kedro) -> None:
    kedro("upload-pipeline", "--params", "limit=7").ok()
    [version] = server.pipelines.versions.values()
    inputs = version["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]
    assert inputs["limit"]["defaultValue"] == 7


def test_the_commit_is_on_record(server: KfpServer, kedro: Kedro, demo: KedroProject) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgsign=false")
        return subprocess.run(["git", *who, *words], cwd=demo.path, check=True, capture_output=True, text=True).stdout

    spec = kedro("upload-pipeline", "--output", "json").ok().json["digest"]
    try:
        git("init", "-q")
        git("add", "conf/base/parameters.yml")
        git("commit", "-q", "-m", "first")
        commit = git("rev-parse", "HEAD").strip()
        clean = kedro("upload-pipeline", "--force", "--output", "json").ok().json
        demo.conf("parameters", {"limit": 4, "model": {"type": "tree", "depth": 3}, "more": 1})
        dirty = kedro("upload-pipeline", "--force", "--output", "json").ok().json
    finally:
        shutil.rmtree(demo.path / ".git")
        demo.conf("parameters", {"limit": 4, "model": {"type": "tree", "depth": 3}})
    assert clean["digest"] == dirty["digest"] == spec
    versions = server.pipelines.versions
    assert versions[clean["version_id"]]["tags"]["git_commit"] == commit
    assert versions[clean["version_id"]]["display_name"].startswith(commit[:8])
    assert versions[dirty["version_id"]]["tags"]["git_commit"] == f"{commit}-dirty"
    assert f"git_commit: {commit}" in versions[clean["version_id"]]["description"]


def test_an_interrupted_upload(server: KfpServer, kedro: Kedro) -> None:
    server.faults.add("POST /apis/v2beta1/pipelines/upload", Reset(read=1000))
    kedro("upload-pipeline").ok()
    assert len(server.pipelines.pipelines) == len(server.pipelines.versions) == 1


def test_a_refusal_has_its_exit_code_and_no_traceback(server: KfpServer, kedro: Kedro) -> None:
    server.faults.add("POST", Answer(400, b'{"error_message": "File size too large"}'), 9)
    done = kedro("upload-pipeline").failed(6)
    assert done.out == ""
    assert "Error: Could not upload the pipeline 'demo': File size too large" in done.err
    assert f"where: {server.url}" in done.err
    assert "cure:" in done.err


@pytest.mark.parametrize(
    ("host", "code", "what"), [(None, 2, "No Kubeflow Pipelines server"), ("kf:8080", 2, "no scheme")]
)
def test_without_a_server(
    kedro: Kedro, demo: KedroProject, configure: Callable[..., None], host: str | None, code: int, what: str
) -> None:
    configure(host=host)
    assert what in kedro("upload-pipeline").failed(code).err


FOREIGN = {
    "an emoji in a default": ({"parameters": {"limit": {"type": "tree 😀"}}}, "the parameter 'limit'"),
    "Cyrillic in a list": ({"parameters": {"limit": ["дерево"]}}, "the parameter 'limit'"),
    "Greek in a key": ({"parameters": {"limit": {"λ": 1}}}, "the parameter 'limit'"),
    "a description": ({"description": "予測"}, "the pipeline's description"),
    "an environment variable": (
        {"env": {"__default__": {"NAME": "Łódź"}}},
        "the environment variable NAME of the step 'prepare'",
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("command", ["compile", "upload-pipeline"])
def test_text_that_not_every_database_takes_is_named(
    demo: KedroProject, kedro: Kedro, configure: Callable[..., None], kind: str, command: str
) -> None:
    """Its runs would begin, and be in no list."""
    given, named = FOREIGN[kind]
    before = (demo.path / "conf/base/parameters.yml").read_text("utf-8")
    try:
        demo.conf("parameters", given.get("parameters", {"limit": 4}))
        configure({key: value for key, value in given.items() if key != "parameters"})
        words = ("-o", "-") if command == "compile" else ()
        done = kedro(command, *words).ok()
    finally:
        (demo.path / "conf/base/parameters.yml").write_text(before, "utf-8")
    [said] = re.findall(r"^Characters beyond Latin-1: (.*)\. A server whose database", done.err, re.MULTILINE)
    assert named in said


def test_latin_text_is_nothing_to_speak_of(kedro: Kedro, configure: Callable[..., None]) -> None:
    configure({"description": "Prévisions à Åbo"})
    assert "Characters" not in kedro("compile", "-o", "-").ok().err
