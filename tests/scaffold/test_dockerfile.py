"""The image's files: for every way of saying what a project requires, with raw data only if it is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.dockerignore import DockerIgnore
from kedro_kubeflow.project.requirements import requirement_files
from kedro_kubeflow.scaffold.dockerfile import dockerfile_text, dockerignore_text, python_of, requirements_of


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(tmp_path_factory.mktemp("dockerfile"))
    made.write("requirements.txt", "kedro-kubeflow\n")
    return made


def test_init_writes_both_and_nothing_twice(project: KedroProject) -> None:
    project.kubeflow("init", "--with-dockerfile", "--with-raw-data").ok()
    text = (project.path / "Dockerfile").read_text("utf-8")
    assert text.startswith("# The image of every step")
    assert f"FROM python:{sys.version_info.major}.{sys.version_info.minor}-slim" in text
    assert text.index('COPY ["requirements.txt", "./"]') < text.index("COPY --chown=kedro . .")
    assert text.endswith("\nUSER 1000\n")
    rules = DockerIgnore.read(project.path)
    kept = ["src/demo/nodes.py", "conf/base/catalog.yml", "data/01_raw/raw.json", "pyproject.toml", "requirements.txt"]
    assert [name for name in kept if rules.excludes(name)] == []
    left = [".git/HEAD", ".env", "conf/local/credentials.yml", "data/08_reporting/report.json", "data/01_raw/other.csv"]
    assert [name for name in left if not rules.excludes(name)] == []
    again = project.kubeflow("init", "--with-dockerfile").failed(2)
    assert "has this Dockerfile already; nothing was written" in again.err


def test_without_being_asked_for_no_data_are_in_the_image(project: KedroProject) -> None:
    for name in ("Dockerfile", ".dockerignore"):
        (project.path / name).unlink(missing_ok=True)
    said = project.kubeflow("init", "--with-dockerfile").ok().err
    assert "does not hold data/01_raw/raw.json; a line !data/01_raw/raw.json in .dockerignore lets it in" in said
    assert DockerIgnore.read(project.path).excludes("data/01_raw/raw.json")
    assert "goes together with" in project.kubeflow("init", "--with-raw-data").failed(2).err


@pytest.mark.parametrize(
    ("files", "expected", "line"),
    [
        ({"uv.lock": "", "requirements.txt": ""}, "uv.lock", '"uv", "sync", "--frozen"'),
        ({"requirements.txt": ""}, "requirements.txt", '"-r", "requirements.txt"'),
        ({"src/requirements.txt": ""}, "src/requirements.txt", 'COPY ["src/requirements.txt", "src/"]'),
        ({"pyproject.toml": '[project]\ndependencies = ["kedro"]\n'}, "pyproject.toml", '"-r", "pyproject.toml"'),
    ],
)
def test_every_way_to_say_what_is_required(files: dict[str, str], expected: str, line: str, tmp_path: Path) -> None:
    for name, text in ({"pyproject.toml": "[tool.kedro]\n"} | files).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert requirements_of(tmp_path) == expected
    assert line in dockerfile_text(tmp_path, "src")
    assert "@" not in dockerfile_text(tmp_path, "src")


def test_files_that_a_file_of_requirements_names(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("-r more/base.txt\n-c constraints.txt\nx @ git+https://example.com/x\n")
    with pytest.raises(ConfigError, match=r"requirements\.txt: more/base\.txt, requirements\.txt: constraints\.txt"):
        dockerfile_text(tmp_path, "src")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/base.txt").write_text("kedro\n--requirement ../requirements.txt\n")
    (tmp_path / "constraints.txt").write_text("kedro<2\n")
    assert requirement_files(tmp_path) == ["requirements.txt", "more/base.txt", "constraints.txt"]
    text = dockerfile_text(tmp_path, "src")
    assert 'COPY ["requirements.txt", "constraints.txt", "./"]' in text
    assert 'COPY ["more/base.txt", "more/"]' in text
    assert '"--no-install-recommends", "git"]' in text
    (tmp_path / "requirements.txt").write_text("kedro\n-e .\n")
    assert text.index("uv") < dockerfile_text(tmp_path, "src").index("COPY . .\nRUN")


@pytest.mark.parametrize(("said", "expected"), [("3.12\n", "3.12"), ("3.13.1", "3.13.1"), ("pypy3.10", ""), (None, "")])
def test_the_python_of_the_project(said: str | None, expected: str, tmp_path: Path) -> None:
    if said:
        (tmp_path / ".python-version").write_text(said)
    assert python_of(tmp_path) == (expected or f"{sys.version_info.major}.{sys.version_info.minor}")


def test_credentials_are_in_the_image_only_where_git_holds_them(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for name in ("conf/base/credentials.yml", "conf/prod/credentials_db.yml", "conf/local/credentials.yml"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("a: ${oc.env:A}\n")
    (tmp_path / ".gitignore").write_text("conf/local\nconf/prod/*credentials*\n")
    rules = DockerIgnore.parse(dockerignore_text(tmp_path, ()))
    assert not rules.excludes("conf/base/credentials.yml")
    assert rules.excludes("conf/prod/credentials_db.yml")
    assert rules.excludes("conf/local/credentials.yml")
    assert DockerIgnore.parse(dockerignore_text(tmp_path / "conf", ())).excludes("conf/base/credentials.yml")


def test_a_project_that_says_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.kedro]\n")
    with pytest.raises(ConfigError, match=r"requirements\.txt"):
        requirements_of(tmp_path)


def test_the_image_command_gives_the_image(project: KedroProject, tmp_path: Path) -> None:
    script = tmp_path / "cloud.py"
    script.write_text("print('a word of the builder')\n")
    project.write("Dockerfile", "FROM scratch\n")
    words = [sys.executable, str(script), "{image}"]
    project.conf("kubeflow", {"run_config": {"image": "registry.example.com/demo:1"}, "image": {"builder": words}})
    done = project.kubeflow("image").ok()
    # Kedro itself writes a line of its log there before any plugin is loaded.
    assert done.out.splitlines()[-1].startswith("registry.example.com/demo:")
    assert "a word of the builder" in done.err
    assert project.kubeflow("image", "--with-code").ok().out.splitlines()[-1] != done.out.splitlines()[-1]
