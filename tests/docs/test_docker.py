"""The image that the pages make with kedro-docker suits the runtime.

There is no container engine here. kedro-docker itself runs, its Dockerfile is read, the folder that `COPY . .` would fill is made
by the rules of its .dockerignore, and a step runs in that folder, by the command that stands in the compiled pipeline.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.conftest import Reader


@dataclass(frozen=True)
class Image:
    """What a Dockerfile makes, as far as it matters here."""

    instructions: Sequence[tuple[str, str]]

    @classmethod
    def of(cls, dockerfile: Path) -> Image:
        text = dockerfile.read_text("utf-8").replace("\\\n", " ")
        lines = (line.strip() for line in text.splitlines())
        return cls([tuple(line.split(None, 1)) for line in lines if line and not line.startswith("#")])  # type: ignore[misc]

    def last(self, instruction: str) -> str | None:
        return next((rest for name, rest in reversed(self.instructions) if name == instruction), None)

    def index(self, instruction: str, text: str) -> int:
        return next(i for i, (n, rest) in enumerate(self.instructions) if n == instruction and text in rest)


@pytest.fixture
def project(reader: Reader) -> Path:
    """The quickstart after the commands of the tutorial."""
    reader.start_in_project()
    for command in (
        "kedro docker init",
        "echo '!data/01_raw' >> .dockerignore",
        "kedro docker build --uid 1000 --gid 1000 --image registry.example.com/penguins:1",
    ):
        shown = reader._run(command)
        assert reader._last_code == 0, shown
    return reader.at


def test_the_dockerfile_suits_the_runtime(project: Path) -> None:
    image = Image.of(project / "Dockerfile")
    assert image.last("WORKDIR") == "/home/kedro_docker", "as the pages say; steps run there"
    copied = image.index("COPY", ". .")
    assert copied > image.index("WORKDIR", "/home/kedro_docker"), "the project lies in the working folder"
    assert "--chown" in image.instructions[copied][1], "and belongs to the user that steps run as"
    assert image.last("USER") == "kedro_docker", "not root"
    assert image.last("ENTRYPOINT") is None, "nothing stands before the command of a step"
    assert image.index("RUN", "-r /tmp/requirements.txt") > image.index("COPY", "requirements.txt")
    assert "kedro-kubeflow[mlflow]" in (project / "requirements.txt").read_text("utf-8")
    # The place for the line that the tutorial adds.
    assert ("RUN", "pip install uv") in image.instructions


def test_docker_is_asked_for_the_python_that_is_here(project: Path, reader: Reader) -> None:
    asked = (reader.folder / ".docker").read_text("utf-8").splitlines()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"--build-arg BASE_IMAGE=python:{version}-slim" in asked[-1]
    assert "-t registry.example.com/penguins:1" in asked[-1]


def test_a_step_runs_in_the_images_working_folder(project: Path, tmp_path: Path) -> None:
    image = tmp_path / "image"
    _copy_into_image(project, image)
    assert (image / "data/01_raw/penguins_raw.csv").is_file()
    assert not (image / "data/02_intermediate").exists()
    assert not [p for p in (image / "conf/local").glob("*") if p.name != ".gitkeep"]
    shutil.rmtree(image / "conf/local")  # As where nobody keeps its .gitkeep.
    command = _command_of_step(project, "clean-penguins")
    output = tmp_path / "pod" / "penguins"
    executor_input = {
        "inputs": {"parameterValues": {"drop_unknown_sex": True}},
        "outputs": {
            "artifacts": {"penguins": {"artifacts": [{"name": "penguins", "uri": f"s3://bucket{output}"}]}},
            "outputFile": str(tmp_path / "pod" / "output.json"),
        },
    }
    argv = [sys.executable, *command[1:-1], json.dumps(executor_input)]
    done = subprocess.run(argv, cwd=image, env=_pod(tmp_path), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / f"pod/s3/bucket{output}/penguins.parquet").is_file()


def _command_of_step(project: Path, name: str) -> list[str]:
    """The command of a step, without the MLflow run that it would join."""
    (project / "conf/local/kubeflow.yml").write_text("run_config:\n  mlflow: {enabled: false}\n")
    argv = [sys.executable, "-m", "kedro", "kubeflow", "compile", "-o", "pipeline.yaml"]
    subprocess.run(argv, cwd=project, env=_pod(project), check=True, capture_output=True)
    spec: dict[str, Any] = next(iter(yaml.safe_load_all((project / "pipeline.yaml").read_text("utf-8"))))
    container = spec["deploymentSpec"]["executors"][f"exec-{name}"]["container"]
    return [*container["command"], *container["args"]]


def _pod(folder: Path) -> Mapping[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("KEDRO_", "MLFLOW_"))}
    return {**clean, "DO_NOT_TRACK": "1", "KEDRO_KUBEFLOW_MOUNT_ROOT": str(folder / "pod")}


def _copy_into_image(project: Path, image: Path) -> None:
    """What `COPY . .` copies: all that the last fitting line of .dockerignore does not leave out."""
    lines = [line.strip() for line in (project / ".dockerignore").read_text("utf-8").splitlines()]
    rules = [line for line in lines if line and not line.startswith("#")]
    for file in (p for p in project.rglob("*") if p.is_file()):
        relative = file.relative_to(project)
        if not _ignored(relative, rules):
            (image / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, image / relative)


def _ignored(path: Path, rules: Sequence[str]) -> bool:
    ignored = False
    for rule in rules:
        pattern = rule.removeprefix("!").rstrip("/")
        if any(_fits(candidate, pattern) for candidate in (path, *path.parents)):
            ignored = not rule.startswith("!")
    return ignored


def _fits(path: Path, pattern: str) -> bool:
    if "**" in pattern:
        return path.match(pattern.rpartition("/")[2]) and path.parts[0] == pattern.partition("/")[0]
    return path.as_posix() == pattern
