"""Build the image that a project's files ask for, unless the registry has it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.image.builder import Build, Builder, builder_of
from kedro_kubeflow.image.tag import image_for, repository
from kedro_kubeflow.project.image_files import ImageFiles


@dataclass(frozen=True)
class BuiltImage:
    """An image in its registry.

    Attributes:
        image: its reference, by digest where the builder says it, else by the tag made of its content.
        tag: the reference by tag.
        built: whether it was built now.
    """

    image: str
    tag: str
    built: bool


def build_image(
    project: Path,
    config: KubeflowConfig,
    *,
    image: str | None = None,
    travels: bool = False,
    builder: Builder | None = None,
) -> BuiltImage:
    """Build and push where needed.

    Args:
        image: where it goes, in place of ``run_config.image``.
        travels: whether the code goes along with each run, so that the image holds what it requires and nothing that changes.

    Raises:
        ConfigError: no image is configured, or there is no Dockerfile.
        DependencyError: nothing that builds images is there.
        ImageError: it could not be built or pushed.
    """
    wanted = image or config.run_config.image
    if not wanted:
        raise ConfigError(
            "No image is configured",
            where="kubeflow.yml, run_config.image",
            cure="set it there, or give it with -i/--image",
        )
    how = config.image
    sources = None if travels else ImageFiles(project).names()
    tag = image_for(project, wanted, dockerfile=how.dockerfile, platform=how.platform, sources=sources)
    chosen = builder or builder_of(how.builder)
    known = chosen.digest_in_registry(tag)
    if known is not None:
        return BuiltImage(_by_digest(tag, known), tag, built=False)
    build = Build(image=tag, context=project, dockerfile=how.dockerfile, platform=how.platform)
    return BuiltImage(_by_digest(tag, chosen.build_and_push(build)), tag, built=True)


def _by_digest(tag: str, digest: str | None) -> str:
    return f"{repository(tag)}@{digest}" if digest else tag
