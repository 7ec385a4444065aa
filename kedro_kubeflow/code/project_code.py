"""The code of a project, packed: what `--with-code` sends along."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro_kubeflow.code.archive import Archive, pack
from kedro_kubeflow.code.files import CodeRules
from kedro_kubeflow.code.secrets import refuse_secrets
from kedro_kubeflow.config.code import CodeConfig
from kedro_kubeflow.config.local import bytes_of
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.project.requirements import requirement_digests

_LISTED = 10


def pack_project(project: OpenProject, config: CodeConfig) -> Archive:
    """Pack a project's code and configuration.

    Raises:
        ConfigError: it holds what looks like a secret, is larger than ``code.limit``, or a file of it cannot go along.
    """
    if not project.source.is_relative_to(project.path):
        raise ConfigError(
            "The project's package does not lie in the project, so its code cannot go along with a run",
            where=str(project.source),
            cure="run this in the project's folder, with its package not installed from elsewhere",
        )
    rules = CodeRules(
        project=project.path,
        source=project.source,
        conf_source=Path(project.conf_source),
        include=config.include,
        exclude=config.exclude,
    )
    names = rules.names()
    refuse_secrets(project.path, names)
    archive = pack(project.path, names, _manifest(project))
    if len(archive.content) > bytes_of(config.limit):
        raise _too_large(archive, config.limit)
    return archive


def _manifest(project: OpenProject) -> dict[str, Any]:
    """The files of requirements, and the folders of which the archive alone is true."""
    folders = [
        p for p in (project.source, Path(project.conf_source)) if p != project.path and p.is_relative_to(project.path)
    ]
    return {
        "requirements": requirement_digests(project.path),
        "folders": [p.relative_to(project.path).as_posix() for p in folders],
    }


def _too_large(archive: Archive, limit: str) -> ConfigError:
    largest = sorted(archive.sizes.items(), key=lambda item: -item[1])[:_LISTED]
    return ConfigError(
        f"The code has {size_text(len(archive.content))} compressed, and {limit} may go along. The largest files, before "
        f"compression: {_listed(dict(largest))}",
        where="kubeflow.yml, code.limit",
        cure="leave out what is no code with `code.exclude`, or raise the limit",
    )


def _listed(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({size_text(size)})" for name, size in sizes.items())


def size_text(size: int) -> str:
    """Such as ``7.2 KiB``."""
    for unit, factor in (("MiB", 2**20), ("KiB", 2**10)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
