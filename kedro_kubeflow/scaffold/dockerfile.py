"""A Dockerfile and a .dockerignore for the image of the steps.

Requirements are a layer of their own, which changes seldom; bytecode is compiled when the image is built, since each step of a
run starts Python anew; nobody is root (https://docs.docker.com/build/building/best-practices/).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Literal

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.git_files import git_files
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.project.required import read_toml
from kedro_kubeflow.project.requirements import named_in

Requirements = Literal["uv.lock", "requirements.txt", "src/requirements.txt", "pyproject.toml"]

_INSTALL = ["uv", "pip", "install", "--system", "--no-cache", "--compile-bytecode", "-r"]
# A Python that uv downloaded would lie in the folder of root, which the steps' user does not see.
_SYNC = ["uv", "sync", "--frozen", "--no-dev", "--no-install-project", "--no-cache", "--compile-bytecode"]
_NO_DOWNLOAD = "--no-python-downloads"
_GIT = (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "git"])
_NAMES_FOLDER = re.compile(r"(?m)^\s*(?:(?:-e|--editable)[ =]?\s*\S+|\.{1,2}(?:[/\[]\S*)?|file:\S+)\s*(?:#.*)?$")


@dataclass(frozen=True)
class Installed:
    """How an image gets what its project requires.

    Attributes:
        source: the file that says it.
        files: the files that are needed for it, relative to the project.
        whole: whether it names folders, so that it needs the project itself.
        git: whether something comes out of git.
    """

    source: Requirements
    files: tuple[str, ...]
    whole: bool = False
    git: bool = False

    def lines(self) -> Iterator[str]:
        """The lines of the Dockerfile."""
        if self.git:
            yield from map(_run, _GIT)
        if self.whole:
            yield "# They name folders, so the project itself is needed for them."
            yield "COPY . ."
        else:
            folders: dict[str, list[str]] = {}
            for name in self.files:
                folders.setdefault(f"{PurePosixPath(name).parent}/", []).append(name)
            for folder, names in folders.items():
                yield f"COPY {json.dumps([*names, folder])}"
        if self.source == "uv.lock":
            yield _run([*_SYNC, _NO_DOWNLOAD])
            yield "ENV PATH=/home/kedro/.venv/bin:$PATH"
        else:
            yield _run([*_INSTALL, self.source])


def requirements_of(project: Path) -> Requirements:
    """The file that the image is built from: a lock file before all others.

    Raises:
        ConfigError: there is none.
    """
    for name in ("uv.lock", "requirements.txt", "src/requirements.txt"):
        if (project / name).is_file():
            return name
    if (read_toml(project / "pyproject.toml").get("project") or {}).get("dependencies"):
        return "pyproject.toml"
    raise ConfigError(
        "Nothing says what the project requires: no uv.lock, no requirements.txt, no `dependencies` in pyproject.toml",
        where=str(project),
        cure="write requirements.txt, with kedro-kubeflow in it",
    )


def installed(project: Path) -> Installed:
    """How the image of a project gets what it requires.

    Raises:
        ConfigError: nothing says what that is, or a file that is named is not in the project.
    """
    source = requirements_of(project)
    if source == "uv.lock":
        text = (project / source).read_text("utf-8")
        return Installed(source, ("pyproject.toml", "uv.lock"), git=bool(re.search(r"source = \{ git = ", text)))
    names = _with_named(project, source) if source != "pyproject.toml" else [source]
    text = "\n".join((project / name).read_text("utf-8") for name in names)
    folders = source != "pyproject.toml" and bool(_NAMES_FOLDER.search(text))
    return Installed(source, tuple(names), whole=folders, git="git+" in text)


def _with_named(project: Path, source: str) -> list[str]:
    """A file of requirements, and those that it names."""
    named, missing = named_in(project, source)
    if missing:
        raise ConfigError(
            f"Files that are named there are not in the project, so no image could be built from it: {', '.join(missing)}",
            where=str(project / source),
            cure="put them into the project, or take the lines out",
        )
    return [source, *named]


def python_of(project: Path) -> str:
    """The Python of a project: that of ``.python-version``, else the one that runs this."""
    file = project / ".python-version"
    match = re.match(r"\s*(?:cpython[-@]?)?(3\.\d+(?:\.\d+)?)\s*$", file.read_text("utf-8")) if file.is_file() else None
    return match[1] if match else f"{sys.version_info.major}.{sys.version_info.minor}"


def dockerfile_text(project: Path, source: str) -> str:
    """The Dockerfile of a project.

    Args:
        source: the folder of its code, relative to it.
    """
    template = files("kedro_kubeflow").joinpath("templates/Dockerfile").read_text("utf-8")
    values = {"python": python_of(project), "install": "\n".join(installed(project).lines()), "source": source}
    for name, value in values.items():
        template = template.replace(f"@{name}@", value)
    return template


def dockerignore_text(project: Path, raw_data: Sequence[str]) -> str:
    """What stays out of the image; raw data that is asked for comes in, and so do files of credentials that git holds."""
    template = files("kedro_kubeflow").joinpath("templates/dockerignore").read_text("utf-8")
    shared = [name for name in git_files(project) or () if "credentials" in PurePosixPath(name).name]
    shared = [name for name in shared if not name.startswith("conf/local/")]
    kept = "".join(f"!{name}\n" for name in sorted(shared))
    return template.replace("@credentials@\n", kept) + "".join(f"!{path}\n" for path in sorted(raw_data))


def source_of(project: OpenProject) -> str:
    """The folder of a project's code, relative to it."""
    inside = project.source.is_relative_to(project.path)
    return project.source.relative_to(project.path).as_posix() if inside else "src"


def _run(words: Sequence[str]) -> str:
    return f"RUN {json.dumps(list(words))}"
