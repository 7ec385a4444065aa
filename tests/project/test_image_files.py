"""What an image of a project would hold."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from kedro_kubeflow.project.image_files import ImageFiles

FILES = (
    "pyproject.toml",
    "conf/base/catalog.yml",
    "conf/base/credentials.yml",
    "conf/local/parameters.yml",
    "data/01_raw/a b.csv",
    "data/02/made.csv",
    "data/03/parts/one.csv",
    "src/demo/__init__.py",
    "src/demo/__pycache__/x.pyc",
    "notebooks/big.ipynb",
    "outside/raw.csv",
    "notes.secret",
    ".venv/pyvenv.cfg",
    ".venv/lib/x.py",
    ".kubeflow/runs/y",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".dockerignore").write_text("notebooks\n")
    (tmp_path / ".gitignore").write_text("data/**\nconf/**/*credentials*\n*.secret\noutside/\n")
    return tmp_path


def held(project: Path) -> list[str]:
    files = ImageFiles(project, left_out=("conf/local", "data/02/made.csv", "data/03/parts"), kept=("outside/raw.csv",))
    return [name for name in files.names() if not name.startswith(".")]


EVERYTHING = [
    "conf/base/catalog.yml",
    "conf/base/credentials.yml",
    "data/01_raw/a b.csv",
    "notes.secret",
    "outside/raw.csv",
    "pyproject.toml",
    "src/demo/__init__.py",
]


def test_dockers_rules_conf_local_and_what_steps_make(project: Path) -> None:
    assert held(project) == EVERYTHING


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_gits_rules_hold_outside_of_data_and_but_for_raw_data(project: Path) -> None:
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    assert held(project) == [n for n in EVERYTHING if n not in ("conf/base/credentials.yml", "notes.secret")]


def test_what_is_read_first_stays_in_a_folder_that_is_written_later(project: Path) -> None:
    files = ImageFiles(project, left_out=("data/03/parts", "data/01_raw"), kept=("data/03/parts/one.csv", "data"))
    assert [name for name in files.names() if name.startswith("data")] == ["data/02/made.csv", "data/03/parts/one.csv"]


def test_a_link_leads_where_it_led(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "x.csv").write_text("x")
    (project / "data/linked").symlink_to(elsewhere)
    copy = elsewhere / "copy"
    ImageFiles(project).copy_to(copy)
    assert (copy / "data/linked/x.csv").read_text() == "x"
    assert (copy / "src/demo/__init__.py").read_text() == "src/demo/__init__.py"
