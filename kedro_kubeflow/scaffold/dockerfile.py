"""A Dockerfile and a .dockerignore for the image of the steps.

Requirements are a layer of their own, which changes seldom; bytecode is compiled when the image is built, since each step of a
run starts Python anew; nobody is root (https://docs.docker.com/build/building/best-practices/).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.opening import OpenProject

Requirements = Literal["uv.lock", "requirements.txt", "src/requirements.txt", "pyproject.toml"]

_INSTALL: dict[Requirements, Sequence[str]] = {
    "uv.lock": (
        "COPY pyproject.toml uv.lock ./",
        'RUN ["uv", "sync", "--frozen", "--no-dev", "--no-install-project", "--compile-bytecode"]',
        "ENV PATH=/home/kedro/.venv/bin:$PATH",
    ),
    "requirements.txt": (
        "COPY requirements.txt ./",
        'RUN ["uv", "pip", "install", "--system", "--no-cache", "--compile-bytecode", "-r", "requirements.txt"]',
    ),
    "src/requirements.txt": (
        "COPY src/requirements.txt src/",
        'RUN ["uv", "pip", "install", "--system", "--no-cache", "--compile-bytecode", "-r", "src/requirements.txt"]',
    ),
    "pyproject.toml": (
        "COPY pyproject.toml ./",
        'RUN ["uv", "pip", "install", "--system", "--no-cache", "--compile-bytecode", "-r", "pyproject.toml"]',
    ),
}


def requirements_of(project: Path) -> Requirements:
    """The file that the image is built from: a lock file before all others.

    Raises:
        ConfigError: there is none.
    """
    for name in ("uv.lock", "requirements.txt", "src/requirements.txt"):
        if (project / name).is_file():
            return name
    if "dependencies" in (project / "pyproject.toml").read_text("utf-8"):
        return "pyproject.toml"
    raise ConfigError(
        "Nothing says what the project requires: no uv.lock, no requirements.txt, no `dependencies` in pyproject.toml",
        where=str(project),
        cure="write requirements.txt, with kedro-kubeflow in it",
    )


def dockerfile_text(project: Path, source: str) -> str:
    """The Dockerfile of a project, for the Python that runs this.

    Args:
        source: the folder of its code, relative to it.
    """
    template = files("kedro_kubeflow").joinpath("templates/Dockerfile").read_text("utf-8")
    lines = "\n".join(_INSTALL[requirements_of(project)])
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return template.replace("@python@", python).replace("@install@", lines).replace("@source@", source)


def dockerignore_text(raw_data: Sequence[str]) -> str:
    """What stays out of the image; raw data that is asked for comes in."""
    template = files("kedro_kubeflow").joinpath("templates/dockerignore").read_text("utf-8")
    return template + "".join(f"!{path}\n" for path in sorted(raw_data))


def source_of(project: OpenProject) -> str:
    """The folder of a project's code, relative to it."""
    inside = project.source.is_relative_to(project.path)
    return project.source.relative_to(project.path).as_posix() if inside else "src"
