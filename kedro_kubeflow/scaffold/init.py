"""Write the project's kubeflow.yml."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.config.model import parse
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.opening import open_project
from kedro_kubeflow.project.write import write_text


def init_project(*, host: str | None = None, path: Path | None = None, force: bool = False) -> Path:
    """Write ``conf/base/kubeflow.yml``.

    Raises:
        ConfigError: there is one already, or the address is none.
    """
    project = open_project(path)
    target = Path(project.conf_source) / project.base_env / "kubeflow.yml"
    existing = sorted(target.parent.glob("kubeflow*.y*ml"))
    if existing and not force:
        raise ConfigError(
            "The project has a kubeflow.yml already; nothing was written",
            where=str(existing[0]),
            cure="edit it, or write it anew with --force",
        )
    if host:
        parse(KubeflowConfig, {"host": host}, where="the address given to `kedro kubeflow init`")
    write_text(target, config_text(host=host, project=project.name, package=project.package))
    return target


def config_text(*, host: str | None, project: str, package: str) -> str:
    """The commented kubeflow.yml of a new project."""
    template = files("kedro_kubeflow").joinpath("templates/kubeflow.yml").read_text("utf-8")
    line = f"host: {json.dumps(host)}" if host else "# host: https://kubeflow.example.com/pipeline"
    text = template.replace("# @host@", line)
    return text.replace("@image@", f"{package.replace('_', '-')}:latest").replace("@project@", json.dumps(project))
