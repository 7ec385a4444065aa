"""``image``: how the image of the steps is built (`kedro kubeflow image`, `--build`)."""

from __future__ import annotations

import re
from string import Formatter

from pydantic import field_validator

from kedro_kubeflow.config.model import Model

PLACEHOLDERS = ("image", "dockerfile", "context", "platform")


class ImageConfig(Model):
    """How the image of the steps is built. Where it goes is said by `run_config.image`; the tag is made of what is in it."""

    builder: str | tuple[str, ...] = "auto"
    """`docker`, `podman`, `buildah`, the first of these that works (`auto`), or any other command that builds **and** pushes,
    as a list of words: `{image}`, `{dockerfile}`, `{context}` and `{platform}` stand for what it needs."""

    platform: str = "linux/amd64"
    """What the cluster's nodes are; a laptop is often another."""

    dockerfile: str = "Dockerfile"
    """The Dockerfile, relative to the project; `kedro kubeflow init --with-dockerfile` writes one."""

    @field_validator("platform")
    @classmethod
    def _platform(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?", value):
            raise ValueError(f"{value!r} is no platform, such as linux/amd64 or linux/arm64")
        return value

    @field_validator("builder")
    @classmethod
    def _builder(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(value, str):
            if value not in ("auto", "docker", "podman", "buildah"):
                raise ValueError(
                    f"{value!r} is no builder; write auto, docker, podman, buildah, or a command as a list of words"
                )
            return value
        if not any("{image}" in word for word in value):
            raise ValueError("a command must be told what to build: one of its words must hold {image}")
        for word in value:
            for _, name, _, _ in Formatter().parse(word):
                if name is not None and name not in PLACEHOLDERS:
                    raise ValueError(f"{{{name}}} stands for nothing; there are {', '.join(PLACEHOLDERS)}")
        return value
