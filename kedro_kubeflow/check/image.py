"""The image: whether one is named, whether its tag stands for one image, and what it must hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from kedro_kubeflow.check.finding import Finding, from_error
from kedro_kubeflow.code.project_code import pack_project
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.image.tag import built_with_others
from kedro_kubeflow.plan.cache import is_mutable
from kedro_kubeflow.plan.task import Task
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.project.required import required

UNSET = "(none is configured)"
_WHERE = "kubeflow.yml, run_config.image"


def image_findings(tasks: Iterable[Task]) -> Iterator[Finding]:
    """What the images' names say."""
    for image in dict.fromkeys(task.image for task in tasks if task.call):
        if image == UNSET:
            yield Finding("image-missing", "error", "No image is configured", _WHERE, "set it, or give it with -i")
        elif is_mutable(image):
            yield Finding(
                "image-latest",
                "warning",
                f"The image {image} is latest, or has no tag, which means latest: what it is changes under the pipeline",
                _WHERE,
                "tag each build, as with the commit, or name the image by its digest (@sha256:…)",
            )


def travel_findings(images: Iterable[str], project: OpenProject, config: KubeflowConfig) -> Iterator[Finding]:
    """Whether code that goes along with runs may go, and whether the images suit it."""
    cure = "`kedro kubeflow image --with-code` builds it anew, and so does `run-once --with-code --build`"
    for what in built_with_others(project.path, images, config.image):
        yield Finding("image-requirements", "warning", what, _WHERE, cure)
    try:
        pack_project(project, config.code)
    except KedroKubeflowError as error:
        yield from_error(error)


def requirement_findings(project: Path, *, tracking: bool) -> Iterator[Finding]:
    """Whether the project's requirements name what every step imports."""
    named, files = required(project)
    brought = {"kedro-mlflow"} if {"mlflow", "all"} & named.get("kedro-kubeflow", frozenset()) else set()
    for package in ("kedro-kubeflow", "kedro-mlflow") if tracking else ("kedro-kubeflow",):
        if package not in named and package not in brought:
            yield Finding(
                "requirements",
                "warning",
                f"The image must have {package}, and the project's requirements do not name it",
                ", ".join(files) or "requirements.txt",
                f"add {package} to them",
            )
