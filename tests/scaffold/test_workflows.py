"""The workflows of `init --with-github-actions` and `--with-gitlab-ci`: valid, harmless, and their commands work."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro_project import KUBEFLOW, KedroProject, Result, make_project
from kfp_server import KfpServer
from kfp_server.fixtures import server

__all__ = ["server"]

OPTIONS = {"github": "--with-github-actions", "gitlab": "--with-gitlab-ci"}
TARGETS = {"github": ".github/workflows/kubeflow.yml", "gitlab": ".gitlab-ci.yml"}
SCHEMAS = {
    "github": ["--builtin-schema", "vendor.github-workflows"],
    "gitlab": ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"],
}
# What the services set; the commands of the workflows run with it here.
RUNNER = {
    "github": {"GITHUB_REPOSITORY": "Acme/Penguins", "GITHUB_SHA": "0123abc"},
    "gitlab": {"IMAGE": "registry.example.com/acme/penguins:0123abc"},
}
IMAGES = {"github": "ghcr.io/acme/penguins:0123abc", "gitlab": RUNNER["gitlab"]["IMAGE"]}
services = pytest.mark.parametrize("service", ["github", "gitlab"])


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    project = make_project(tmp_path_factory.mktemp("workflows"))
    project.kedro("kubeflow", "init", *OPTIONS.values()).ok()
    return project


@services
def test_the_workflow_is_valid_by_the_official_schema(initialised: KedroProject, service: str) -> None:
    argv = [sys.executable, "-m", "check_jsonschema", *SCHEMAS[service], str(initialised.path / TARGETS[service])]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@services
def test_the_schema_does_refuse(tmp_path: Path, initialised: KedroProject, service: str) -> None:
    text = (initialised.path / TARGETS[service]).read_text("utf-8")
    broken = tmp_path / "broken.yml"
    broken.write_text(text.replace("image: docker:28", "imagee: [docker:28]").replace("runs-on:", "run-on:"))
    argv = [sys.executable, "-m", "check_jsonschema", *SCHEMAS[service], str(broken)]
    assert subprocess.run(argv, capture_output=True, check=False).returncode == 1


@services
def test_secrets_are_referred_to_and_never_written(initialised: KedroProject, service: str) -> None:
    text = (initialised.path / TARGETS[service]).read_text("utf-8")
    for name, value in re.findall(r"(?im)^\s*[\"']?(\S*(?:password|token|secret)\S*?)[\"']?: (.+)$", text):
        assert re.fullmatch(r"\$\{\{ secrets\.\w+ }}", value), name
    # A secret in an argument would be shown in the list of processes.
    assert not re.search(r"--password[ =]", text)


@services
def test_only_the_main_branch_reaches_the_cluster(initialised: KedroProject, service: str) -> None:
    jobs = yaml.safe_load((initialised.path / TARGETS[service]).read_text("utf-8"))
    if service == "github":
        assert jobs[True] == {"pull_request": None, "push": {"branches": ["main"]}}, "YAML reads `on` as a boolean"
        assert jobs["jobs"]["build"]["if"] == "github.event_name == 'push'"
        assert (jobs["jobs"]["build"]["needs"], jobs["jobs"]["upload"]["needs"]) == ("test", "build")
        assert jobs["permissions"] == {"contents": "read"}
    else:
        for job in ("build", "upload"):
            assert jobs[job]["rules"] == [{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"}]
        assert jobs["stages"] == ["test", "build", "upload"]


@services
def test_the_workflows_own_commands_check_and_upload(
    initialised: KedroProject, server: KfpServer, service: str
) -> None:
    initialised.conf("kubeflow", {"host": server.url, **KUBEFLOW})
    commands = [line for line in _commands(initialised, service) if line.startswith("kedro ")]
    assert [line.split()[2] for line in commands] == ["check", "upload-pipeline"]
    for line in commands:
        _bash(initialised, line, RUNNER[service] | _variables(initialised, service)).ok()
    (version,) = server.pipelines.versions.values()
    spec = version["pipeline_spec"]
    executors = spec.get("pipeline_spec", spec)["deploymentSpec"]["executors"]
    assert {e["container"]["image"] for e in executors.values()} == {IMAGES[service]}


@services
def test_a_workflow_that_is_there_stays(tmp_path: Path, service: str) -> None:
    project = make_project(tmp_path, kubeflow=None)
    mine = project.write(TARGETS[service], "mine: true\n")
    refused = project.kedro("kubeflow", "init", OPTIONS[service]).failed(2)
    assert "already; nothing was written" in refused.err
    assert "--force" in refused.err
    assert mine.read_text() == "mine: true\n"
    assert not (project.path / "conf/base/kubeflow.yml").exists()
    project.kedro("kubeflow", "init", OPTIONS[service], "--force").ok()
    assert "kedro kubeflow upload-pipeline" in mine.read_text()
    assert (project.path / "conf/base/kubeflow.yml").exists()


def test_kubeflow_yml_stays_where_only_a_workflow_is_asked_for(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    config = project.path / "conf/base/kubeflow.yml"
    before = config.read_text()
    done = project.kedro("kubeflow", "init", "--with-github-actions").ok()
    assert config.read_text() == before
    assert "kubeflow.yml" in done.out
    assert str(config) not in done.out
    refused = project.kedro("kubeflow", "init", "https://kfp.example.com", "--with-gitlab-ci").failed(2)
    assert "has a kubeflow.yml already" in refused.err
    assert not (project.path / TARGETS["gitlab"]).exists()


def test_the_workflows_take_the_python_that_is_here(initialised: KedroProject) -> None:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert _variables(initialised, "github")["PYTHON"] == version
    assert f"image: python:{version}\n" in (initialised.path / TARGETS["gitlab"]).read_text()


def _commands(project: KedroProject, service: str) -> list[str]:
    workflow = yaml.safe_load((project.path / TARGETS[service]).read_text("utf-8"))
    if service == "gitlab":
        return [line for job in ("test", "build", "upload") for line in workflow[job]["script"]]
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    return [line for step in steps for line in step.get("run", "").splitlines()]


def _variables(project: KedroProject, service: str) -> dict[str, str]:
    workflow: Any = yaml.safe_load((project.path / TARGETS[service]).read_text("utf-8"))
    given = workflow["env"] if service == "github" else {"KEDRO_ENV": workflow["variables"]["KEDRO_ENV"]}
    return dict(given)


def _bash(project: KedroProject, command: str, env: dict[str, str]) -> Result:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=project.path,
        env=project.environment({"PATH": path, **env}),
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)
