"""The image: whether one is named, whether its tag stands for one image, and what it must hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from kedro_kubeflow.check.finding import Finding
from kedro_kubeflow.plan.cache import is_mutable
from kedro_kubeflow.plan.task import Task

UNSET = "(none is configured)"
_WHERE = "kubeflow.yml, run_config.image"
_REQUIREMENTS = (
    "requirements*.txt",
    "requirements*.in",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "environment*.y*ml",
)


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


def requirement_findings(project: Path, *, tracking: bool) -> Iterator[Finding]:
    """Whether the project's requirements name what every step imports."""
    files = sorted({file for pattern in _REQUIREMENTS for file in project.glob(pattern)})
    text = "\n".join(file.read_text("utf-8", errors="replace") for file in files)
    for package in ("kedro-kubeflow", "kedro-mlflow") if tracking else ("kedro-kubeflow",):
        if not _names(text, package):
            yield Finding(
                "requirements",
                "warning",
                f"The image must have {package}, and the project's requirements do not name it",
                ", ".join(file.name for file in files) or "requirements.txt",
                f"add {package} to them",
            )


def _names(text: str, package: str) -> bool:
    """Whether requirements name a package, or this one with the extra that brings it."""
    if package == "kedro-mlflow" and re.search(r"kedro[-_.]kubeflow\s*\[[^\]]*\b(mlflow|all)\b", text, re.IGNORECASE):
        return True
    return re.search(package.replace("-", "[-_.]"), text, re.IGNORECASE) is not None
