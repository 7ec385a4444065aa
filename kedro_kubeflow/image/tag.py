"""What an image is called: where it goes, and a tag made of what it is built from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.requirements import requirement_files

_LENGTH = 12


def repository(image: str) -> str:
    """An image reference without tag and digest (https://pkg.go.dev/github.com/distribution/reference).

    >>> repository("registry.example.com:5000/team/penguins:latest")
    'registry.example.com:5000/team/penguins'
    """
    plain = image.partition("@")[0]
    head, separator, last = plain.rpartition("/")
    return f"{head}{separator}{last.partition(':')[0]}"


def image_for(project: Path, image: str, *, dockerfile: str, platform: str, sources: Iterable[str] | None) -> str:
    """The image reference that the project's files give.

    Args:
        image: where it goes; its tag is replaced.
        sources: the files that it holds, relative to the project; None where code travels with each run, so that the files
            of requirements alone decide.

    Raises:
        ConfigError: there is no Dockerfile, or the reference holds none of our tags.
    """
    if not (project / dockerfile).is_file():
        raise ConfigError(
            "There is no Dockerfile",
            where=str(project / dockerfile),
            cure="`kedro kubeflow init --with-dockerfile` writes one; another one is named by `image.dockerfile`",
        )
    names = sorted({dockerfile, *requirement_files(project), *(sources or ())})
    total = hashlib.sha256(platform.encode())
    for name in names:
        content = hashlib.sha256((project / name).read_bytes()).hexdigest()
        total.update(f"{name}\0{content}\n".encode())
    return f"{repository(image)}:{total.hexdigest()[:_LENGTH]}"
