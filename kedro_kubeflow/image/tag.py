"""What an image is called: where it goes, and a tag made of what it is built from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from kedro_kubeflow.config.image import ImageConfig
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.requirements import requirement_digests, requirement_files

_LENGTH = 12
_TAG = re.compile(rf":(?P<required>[0-9a-f]{{{_LENGTH}}})(-[0-9a-f]{{{_LENGTH}}})?$")


def repository(image: str) -> str:
    """An image reference without tag and digest (https://pkg.go.dev/github.com/distribution/reference).

    >>> repository("registry.example.com:5000/team/penguins:latest")
    'registry.example.com:5000/team/penguins'
    """
    plain = image.partition("@")[0]
    head, separator, last = plain.rpartition("/")
    return f"{head}{separator}{last.partition(':')[0]}"


def image_for(project: Path, image: str, *, dockerfile: str, platform: str, sources: Iterable[str] | None) -> str:
    """The image reference that the project's files give: ``REPOSITORY:REQUIREMENTS`` or ``REPOSITORY:REQUIREMENTS-SOURCES``.

    Args:
        image: where it goes; its tag is replaced.
        sources: the files that it holds, relative to the project; None where code travels with each run, so that the files
            of requirements alone decide.

    Raises:
        ConfigError: there is no Dockerfile, or the reference holds none of our tags.
    """
    required = required_digest(project, dockerfile=dockerfile, platform=platform)
    held = "" if sources is None else f"-{_digest(project, sorted(sources))}"
    return f"{repository(image)}:{required}{held}"


def required_digest(project: Path, *, dockerfile: str, platform: str) -> str:
    """The part of a tag that says which requirements an image was built with, and by which Dockerfile.

    Raises:
        ConfigError: there is no Dockerfile.
    """
    if not (project / dockerfile).is_file():
        raise ConfigError(
            "There is no Dockerfile",
            where=str(project / dockerfile),
            cure="`kedro kubeflow init --with-dockerfile` writes one; another one is named by `image.dockerfile`",
        )
    required = sorted(f"{name}\0{digest}" for name, digest in requirement_digests(project).items())
    return _digest(project, [dockerfile], platform, *required)


def built_with_others(project: Path, images: Iterable[str], how: ImageConfig) -> Iterator[str]:
    """A sentence for each image that was built with other requirements than the project has now, as far as its tag says it.

    Only tags of ours say it; of any other image the steps themselves compare the files.
    """
    ours = {image: match["required"] for image in images if (match := _TAG.search(image))}
    if not ours or not (project / how.dockerfile).is_file():
        return
    now = required_digest(project, dockerfile=how.dockerfile, platform=how.platform)
    files = ", ".join([how.dockerfile, *requirement_files(project)])
    for image in (image for image, required in ours.items() if required != now):
        yield f"The image {image} was built with other requirements than the code of this folder has now ({files})"


def _digest(project: Path, names: Iterable[str], *more: str) -> str:
    total = hashlib.sha256("\0".join(more).encode())
    for name in names:
        content = hashlib.sha256((project / name).read_bytes()).hexdigest()
        total.update(f"{name}\0{content}\n".encode())
    return total.hexdigest()[:_LENGTH]
