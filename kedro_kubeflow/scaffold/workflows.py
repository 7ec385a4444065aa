"""Write workflows for continuous deployment: test, check, build and push the image, upload the pipeline.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax, https://docs.gitlab.com/ci/yaml/
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.opening import open_project
from kedro_kubeflow.project.write import write_text
from kedro_kubeflow.scaffold.init import init_project

Service = Literal["github", "gitlab"]

TARGETS: dict[Service, str] = {"github": ".github/workflows/kubeflow.yml", "gitlab": ".gitlab-ci.yml"}


def init_with_workflows(
    services: Sequence[Service], *, host: str | None = None, path: Path | None = None, force: bool = False
) -> list[Path]:
    """Write the workflows, and kubeflow.yml where there is none: all of it, or nothing.

    Args:
        services: whose workflows; with none, it is kubeflow.yml alone that is asked for.
        host: the address for kubeflow.yml.
        force: replace what is there.

    Returns:
        The files that were written.

    Raises:
        ConfigError: one of the files is there already, or the address is none.
    """
    project = open_project(path)
    targets = {service: project.path / TARGETS[service] for service in services}
    existing = [target for target in targets.values() if target.exists()]
    if existing and not force:
        raise ConfigError(
            "The project has this workflow already; nothing was written",
            where=str(existing[0]),
            cure="edit it, or write it anew with --force",
        )
    written = []
    has_config = any((Path(project.conf_source) / "base").glob("kubeflow*.y*ml"))
    if host or force or not (services and has_config):
        written.append(init_project(host=host, path=path, force=force))
    for service, target in targets.items():
        write_text(target, workflow_text(service))
        written.append(target)
    return written


def workflow_text(service: Service) -> str:
    """The workflow of a new project, for the Python that runs this."""
    template = files("kedro_kubeflow").joinpath(f"templates/ci/{service}.yml").read_text("utf-8")
    return template.replace("@python@", f"{sys.version_info.major}.{sys.version_info.minor}")
