"""The distribution: built as people build it, complete, and working where nothing else is installed."""

from __future__ import annotations

import email
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

import pytest
from kedro_project import make_project

import kedro_kubeflow

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kedro_kubeflow"
NOT_SOURCES = shutil.ignore_patterns(
    *(".git", ".tox", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis", "_build")
)


@dataclass(frozen=True)
class Built:
    """A wheel and a source distribution."""

    wheel: Path
    sdist: Path

    @property
    def in_wheel(self) -> set[str]:
        with zipfile.ZipFile(self.wheel) as archive:
            return {name for name in archive.namelist() if not name.endswith("/")}

    @property
    def in_sdist(self) -> set[str]:
        with tarfile.open(self.sdist) as archive:
            return {m.name.split("/", 1)[1] for m in archive.getmembers() if m.isfile()}

    @property
    def metadata(self) -> Message:
        with zipfile.ZipFile(self.wheel) as archive:
            (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
            return email.message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both, in an isolated environment; the wheel is made from the source distribution, as `python -m build` does."""
    source = tmp_path_factory.mktemp("package") / "source"
    shutil.copytree(ROOT, source, ignore=NOT_SOURCES)
    _run(sys.executable, "-m", "build", cwd=source)
    (wheel,), (sdist,) = (source / "dist").glob("*.whl"), (source / "dist").glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="module")
def clean(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds the wheel and what it asks for, and nothing else."""
    environment = tmp_path_factory.mktemp("clean") / "venv"
    _run(sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, str(environment))
    target = ["--python", str(environment / "bin/python")]
    _run(sys.executable, "-m", "uv", "pip", "install", "--quiet", *target, str(built.wheel))
    return environment / "bin"


def test_the_wheel_holds_the_whole_package_and_nothing_else(built: Built) -> None:
    ours = {p.relative_to(ROOT).as_posix() for p in PACKAGE.rglob("*") if _is_source(p)}
    assert {n for n in built.in_wheel if ".dist-info/" not in n} == ours
    assert {"kedro_kubeflow/py.typed", "kedro_kubeflow/templates/kubeflow.yml"} <= ours
    assert any(n.startswith("kedro_kubeflow/starters/kubeflow-quickstart/{{ cookiecutter.repo_name }}/") for n in ours)


def test_the_source_distribution_holds_what_the_wheel_is_made_of(built: Built) -> None:
    beside = {"setup.py", "README.md", "CHANGELOG.md", "LICENSE", "MANIFEST.in"}
    assert {n for n in built.in_wheel if ".dist-info/" not in n} | beside <= built.in_sdist


def test_twine_finds_nothing_wrong(built: Built) -> None:
    shown = _run(sys.executable, "-m", "twine", "check", "--strict", str(built.wheel), str(built.sdist))
    assert shown.count("PASSED") == 2


def test_the_metadata_say_what_people_look_for(built: Built) -> None:
    metadata = built.metadata
    assert metadata["Name"] == "kedro-kubeflow"
    assert metadata["Version"] == kedro_kubeflow.__version__
    assert metadata["License"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.10"
    assert set(metadata.get_all("Provides-Extra")) == {"browser", "mlflow", "vertexai", "all"}
    classifiers = metadata.get_all("Classifier")
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 14)} <= set(classifiers)
    assert "Typing :: Typed" in classifiers
    assert str(metadata.get_payload()).startswith("# kedro-kubeflow\n")


def test_it_works_where_nothing_else_is_installed(clean: Path, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    _run(clean / "kedro", "kubeflow", "compile", cwd=project.path)
    assert (project.path / "pipeline.yaml").read_text("utf-8").startswith("# PIPELINE DEFINITION\n")
    script = "import kedro_kubeflow; print(len(kedro_kubeflow.compile_project().text))"
    shown = _run(clean / "python", "-c", script, cwd=project.path)
    assert int(shown.splitlines()[-1]) == len((project.path / "pipeline.yaml").read_text("utf-8"))


def test_the_starter_is_there_and_needs_no_network(clean: Path, tmp_path: Path) -> None:
    offline = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    words = ["new", "--starter", "kubeflow-quickstart", "--name", "Penguins", "--telemetry", "no"]
    _run(clean / "kedro", *words, cwd=tmp_path, env=offline)
    assert (tmp_path / "penguins/conf/base/kubeflow.yml").is_file()


def _is_source(path: Path) -> bool:
    caches = ("__pycache__", ".mypy_cache", ".ruff_cache")
    return path.is_file() and not set(path.parts) & set(caches)


def _run(*argv: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    environ = {k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=cwd,
        env={**environ, "DO_NOT_TRACK": "1", **(env or {})},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
