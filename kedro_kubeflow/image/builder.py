"""Who builds and pushes images: docker, podman, buildah, or a command of the user's own. Argument lists only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from kedro_kubeflow.errors import DependencyError, ImageError

_TAIL = 15


@dataclass(frozen=True, kw_only=True)
class Build:
    """What to build.

    Attributes:
        image: the reference, tag included.
        context: the folder that is built from.
        dockerfile: relative to it.
    """

    image: str
    context: Path
    dockerfile: str
    platform: str


class Builder(ABC):
    """One tool."""

    @abstractmethod
    def digest_in_registry(self, image: str) -> str | None:
        """The digest of an image that the registry has, empty where the tool does not tell it; None where it has none."""

    @abstractmethod
    def build_and_push(self, build: Build) -> str | None:
        """Build and push; give the digest where the tool says it.

        Raises:
            ImageError: one of the two failed.
        """


class Docker(Builder):
    """https://docs.docker.com/reference/cli/docker/."""

    def digest_in_registry(self, image: str) -> str | None:
        """Ask the registry for the manifest."""
        return "" if _succeeds(["docker", "manifest", "inspect", image]) else None

    def build_and_push(self, build: Build) -> str | None:
        """Build, push, and read the digest that the push gave."""
        _run(["docker", "build", *_what(build)], "build", build.image)
        _run(["docker", "push", build.image], "push", build.image)
        inspect = ["docker", "image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', build.image]
        digests = _output(inspect).split()
        name = build.image.rpartition(":")[0]
        return next((d.partition("@")[2] for d in digests if d.startswith(f"{name}@")), None)


@dataclass(frozen=True)
class Rootless(Builder):
    """podman and buildah, which take the same words (https://docs.podman.io, https://github.com/containers/buildah)."""

    program: str

    def digest_in_registry(self, image: str) -> str | None:
        """Ask the registry, by skopeo where it is there: the two themselves know lists of manifests only, in older versions."""
        if shutil.which("skopeo"):
            # Unlike the two, it does not read this variable by itself.
            conf = os.environ.get("CONTAINERS_REGISTRIES_CONF")
            chosen = ["--registries-conf", conf] if conf else []
            return (
                _output(["skopeo", *chosen, "inspect", "--format", "{{.Digest}}", f"docker://{image}"]).strip() or None
            )
        return "" if _succeeds([self.program, "manifest", "inspect", f"docker://{image}"]) else None

    def build_and_push(self, build: Build) -> str | None:
        """Build and push; the digest is written into a file."""
        _run([self.program, "build", *_what(build)], "build", build.image)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "digest"
            _run(
                [self.program, "push", "--digestfile", str(file), build.image, f"docker://{build.image}"],
                "push",
                build.image,
            )
            return file.read_text("utf-8").strip() or None


@dataclass(frozen=True)
class Command(Builder):
    """A command of the user's own that does both."""

    words: tuple[str, ...]

    def digest_in_registry(self, image: str) -> str | None:  # noqa: ARG002 - nobody to ask
        """Not known."""
        return None

    def build_and_push(self, build: Build) -> str | None:
        """Call it; it tells no digest."""
        values = {
            "image": build.image,
            "dockerfile": str(build.context / build.dockerfile),
            "context": str(build.context),
            "platform": build.platform,
        }
        _run([word.format(**values) for word in self.words], "build", build.image, cwd=build.context)
        return None


def builder_of(configured: str | tuple[str, ...]) -> Builder:
    """The tool that kubeflow.yml names; with ``auto``, the first that works.

    Raises:
        DependencyError: it is not there, or does not work.
    """
    if not isinstance(configured, str):
        return Command(configured)
    names = ("docker", "podman", "buildah") if configured == "auto" else (configured,)
    for name in names:
        if shutil.which(name) and _succeeds(["docker", "info"] if name == "docker" else [name, "--version"]):
            return Docker() if name == "docker" else Rootless(name)
    what = (
        "None of docker, podman and buildah works here" if configured == "auto" else f"{configured} does not work here"
    )
    raise DependencyError(
        what,
        where="kubeflow.yml, image.builder",
        cure="install one (Docker's engine must run), or name a command that builds and pushes, such as your cloud's",
    )


def _what(build: Build) -> list[str]:
    file = str(build.context / build.dockerfile)
    return ["--platform", build.platform, "--tag", build.image, "--file", file, str(build.context)]


def _succeeds(argv: list[str]) -> bool:
    try:
        done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _output(argv: list[str]) -> str:
    return subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False).stdout


def _run(argv: list[str], doing: str, image: str, *, cwd: Path | None = None) -> None:
    """Run with its output on standard error, where it belongs to the person and not to what a command gives.

    Raises:
        ImageError: it failed; its last lines are in the error.
    """
    try:
        process = subprocess.Popen(
            argv,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        raise ImageError(
            f"{argv[0]} cannot be started: {error.strerror or error}", where="kubeflow.yml, image.builder"
        ) from error
    lines: list[str] = []
    with process:
        for line in process.stdout or ():
            lines = [*lines, line.rstrip()][-_TAIL:]
            print(line, end="", file=sys.stderr, flush=True)
    if process.returncode:
        raise ImageError(
            f"The {doing} of {image} failed ({argv[0]}, exit code {process.returncode}): {lines[-1] if lines else ''}",
            where=" ".join(argv[:3]),
            cure="mend what stands above; for a push, log in to the registry first"
            if doing == "push"
            else "mend what stands above",
        )
