"""A disk that belongs to root, as most block storage has it, and an image of another user; with real users of this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kedro_project import KedroProject, make_project

from kedro_kubeflow.contract import VOLUME_ENV

pytestmark = pytest.mark.skipif(
    not (hasattr(os, "getuid") and os.getuid() == 0 and shutil.which("setpriv")), reason="needs root, and setpriv"
)
SOMEBODY = 12345
# What Kubeflow Pipelines leaves to a pod, also to root: no capability.
IN_A_POD = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
FILLED_BY_SOMEBODY = """
import os, sys
from kedro_kubeflow.contract import VOLUME_ENV, StepCall
from kedro_kubeflow.errors import StepError
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime import volume
from kedro_kubeflow.runtime.volume import fill

call, text = StepCall.from_argv(sys.argv[3:])
# All is imported, and the project opened, before: this interpreter may lie where nobody else may read.
os.environ[VOLUME_ENV] = sys.argv[1]
fill(call, Executor(text))
opened = volume.open_for(call, Executor(text))
volume.open_for = lambda call, executor: opened
os.environ[VOLUME_ENV] = sys.argv[2]
os.setresuid(12345, 12345, 12345)
try:
    fill(call, Executor(text))
except StepError as error:
    print(error)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that others may look into, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def disk(place: Path) -> Path:
    """As it comes from a storage class: with a folder of the file system's own."""
    disk = place / "disk"
    disk.mkdir(mode=0o755)
    (disk / "lost+found").mkdir(mode=0o700)
    return disk


def program_of_fill(place: Path, volume: dict[str, Any]) -> tuple[KedroProject, list[str]]:
    """A project, and the command of its `fill-volume`."""
    (place / "project").mkdir()
    project = make_project(
        place / "project",
        kubeflow={"run_config": {"image": "img:1", "volume": volume}},
        data={"data/01_raw/raw.json": "[1, 2, 3]", "data/02/deep/er.txt": "x"},
    )
    project.kubeflow("compile", "-o", "p.yaml").ok()
    spec = next(yaml.safe_load_all((project.path / "p.yaml").read_text("utf-8")))
    container = spec["deploymentSpec"]["executors"]["exec-fill-volume"]["container"]
    return project, [*container["command"][1:], *container["args"][:-1], json.dumps({})]


def writes_as_somebody(*files: Path) -> bool:
    """Whether another user may make a file, or write into one that is there."""
    child = os.fork()
    if not child:
        os.setresgid(SOMEBODY, SOMEBODY, SOMEBODY)
        os.setresuid(SOMEBODY, SOMEBODY, SOMEBODY)
        try:
            for file in files:
                file.parent.mkdir(exist_ok=True)
                file.write_text("mine")
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("owner", [None, SOMEBODY])
@pytest.mark.parametrize("allowed", [(), IN_A_POD])
def test_root_fills_it_and_lets_others_write(
    place: Path, disk: Path, owner: int | None, allowed: tuple[str, ...]
) -> None:
    """Also where root may give no file away, as in Kubeflow's pods."""
    given = {"owner": owner} if owner is not None else {}
    project, words = program_of_fill(place, {"fill_as_root": True, **given})
    files = (disk / "data/08/new.txt", disk / "data/01_raw/raw.json", disk / "data/02/deep/new.txt")
    assert not writes_as_somebody(disk / "new.txt")
    done = subprocess.run(
        [*allowed, sys.executable, *words],
        cwd=project.path,
        env={**project.environment(), VOLUME_ENV: str(disk)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((disk / "data/01_raw/raw.json").read_text()) == [1, 2, 3]
    assert writes_as_somebody(*files)


def test_anybody_else_is_told_what_can_be_done(place: Path, disk: Path) -> None:
    project, words = program_of_fill(place, {})
    (place / "other").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", FILLED_BY_SOMEBODY, str(place / "other"), str(disk), *words[2:]],
        cwd=project.path,
        env=project.environment(),
        capture_output=True,
        text=True,
    )
    assert f"The volume cannot be filled: [Errno 13] Permission denied: '{disk}/data'" in done.stdout, done.stderr
    assert f"of user 0 and group {os.getgid()} (mode 755); this is user {SOMEBODY}" in done.stdout
    assert "set run_config.volume.fill_as_root" in done.stdout
