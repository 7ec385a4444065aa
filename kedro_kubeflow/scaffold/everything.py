"""What `init` is asked for: all of it is written, or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.opening import OpenProject, open_project
from kedro_kubeflow.project.write import write_text
from kedro_kubeflow.scaffold.dockerfile import dockerfile_text, dockerignore_text, source_of
from kedro_kubeflow.scaffold.init import init_project
from kedro_kubeflow.scaffold.raw_data import raw_data_of
from kedro_kubeflow.scaffold.workflows import TARGETS, Service, workflow_text


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is to be written beside kubeflow.yml.

    Attributes:
        services: whose workflows.
        raw_data: whether the image holds the local files that no node makes.
    """

    services: tuple[Service, ...] = ()
    dockerfile: bool = False
    raw_data: bool = False


def init_with(wanted: Wanted, *, host: str | None = None, path: Path | None = None, force: bool = False) -> list[Path]:
    """Write what is wanted, and kubeflow.yml where there is none.

    Args:
        host: the address for kubeflow.yml.
        force: replace what is there.

    Returns:
        The files that were written.

    Raises:
        ConfigError: one of the files is there already, the address is none, or nothing says what the project requires.
    """
    project = open_project(path)
    texts = {project.path / TARGETS[service]: workflow_text(service) for service in wanted.services}
    _refuse_existing(texts, "workflow", force=force)
    if wanted.dockerfile:
        docker = {project.path / "Dockerfile": dockerfile_text(project.path, source_of(project))}
        _refuse_existing(docker, "Dockerfile", force=force)
        texts |= docker | _dockerignore(project, wanted, force=force)
    written = []
    has_config = any((Path(project.conf_source) / project.base_env).glob("kubeflow*.y*ml"))
    if host or force or not (texts and has_config):
        written.append(init_project(host=host, path=path, force=force))
    for target, text in texts.items():
        write_text(target, text)
        written.append(target)
    return written


def raw_data(path: Path | None = None) -> list[str]:
    """The local files that no node makes, relative to the project; an image without them needs them from elsewhere."""
    return raw_data_of(open_project(path))


def _refuse_existing(texts: dict[Path, str], what: str, *, force: bool) -> None:
    existing = [target for target in texts if target.exists()]
    if existing and not force:
        raise ConfigError(
            f"The project has this {what} already; nothing was written",
            where=str(existing[0]),
            cure="edit it, or write it anew with --force",
        )


def _dockerignore(project: OpenProject, wanted: Wanted, *, force: bool) -> dict[Path, str]:
    """The .dockerignore; one that is there stays, as others than us go by it."""
    file = project.path / ".dockerignore"
    if file.exists() and not force:
        return {}
    return {file: dockerignore_text(project.path, raw_data_of(project) if wanted.raw_data else ())}
