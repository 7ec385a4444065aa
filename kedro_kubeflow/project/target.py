"""Where pipelines run, as the project is configured: on Kubeflow Pipelines, Vertex AI Pipelines, or what a plugin brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro_kubeflow.config.kubeflow import KubeflowConfig, read_config
from kedro_kubeflow.config.selectors import Known
from kedro_kubeflow.config.vertexai_file import FILE, from_kedro_vertexai
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.conf import read_kubeflow, read_section, read_vertexai
from kedro_kubeflow.project.opening import open_project

Target = str
KUBEFLOW, VERTEXAI = "kubeflow", "vertexai"
_SECTION = "vertexai:\n    project_id: PROJECT\n    region: REGION\n    root: gs://BUCKET/FOLDER"


@dataclass(frozen=True)
class Configured:
    """The name of a target, and what the project's configuration says where it is chosen."""

    target: str
    config: KubeflowConfig


def configured(
    loader: Any, asked: str | None = None, *, known: Callable[[], Known] = Known, either: bool = False
) -> Configured:
    """The target that is asked for; where none is, the one that is configured.

    Args:
        loader: the project's config loader.
        known: gives what a vertexai.yml may name; see `from_kedro_vertexai`.
        either: whether any will do where several are configured, as for a run on this machine.

    Raises:
        ConfigError: what is asked for is not configured, several are and none is asked for, or a file is wrong.
    """
    file = read_vertexai(loader)
    if file is None or read_section(loader, "kubeflow"):
        config = read_config(read_kubeflow(loader))
        if file is not None and config.vertexai:
            raise ConfigError(
                f"Vertex AI is configured twice: in kubeflow.yml, under `vertexai`, and in {FILE}",
                where=f"conf, {FILE}",
                cure="take what is still needed over into kubeflow.yml, and delete the other file",
            )
        chosen = _chosen(asked, _names(config, file=file is not None), either=either)
        if chosen != VERTEXAI or config.vertexai:
            return Configured(chosen, config)
    elif asked not in (None, VERTEXAI):
        # Says that there is none, and how to make one.
        read_kubeflow(loader)
    return Configured(VERTEXAI, _from_file(file or {}, known))


def _names(config: KubeflowConfig, *, file: bool) -> dict[str, str]:
    """What is configured: names of targets, and what messages call them."""
    ours = {KUBEFLOW: "Kubeflow Pipelines"} if config.host else {}
    if config.vertexai or file:
        ours[VERTEXAI] = "Vertex AI Pipelines"
    return ours | {name: repr(name) for name in config.targets}


def _chosen(asked: str | None, names: Mapping[str, str], *, either: bool) -> str:
    if asked == VERTEXAI and VERTEXAI not in names:
        raise ConfigError(
            "Vertex AI Pipelines is not configured", where="conf, kubeflow.yml", cure=f"add\n\n  {_SECTION}\n"
        )
    if asked:
        return asked
    if len(names) > 1 and not either:
        *others, last = names.values()
        raise ConfigError(
            f"{', '.join(others)} and {last} are {'both' if len(names) == 2 else 'all'} configured",
            where="conf, kubeflow.yml",
            cure="choose one with " + " or ".join(f"--target {name}" for name in names),
        )
    return next(iter(names), KUBEFLOW)


def _from_file(data: Mapping[str, Any], known: Callable[[], Known]) -> KubeflowConfig:
    for key in ("project_id", "region"):
        if not data.get(key):
            raise ConfigError(f"{key!r} is missing", where=f"conf, {FILE}")
    values = from_kedro_vertexai(data, known=known)
    try:
        return read_config(values, where=f"conf, {FILE}")
    except ConfigError as error:
        raise ConfigError(_as_in_file(error.what), where=error.where) from None


def _as_in_file(text: str) -> str:
    """An error in the words of the file that people have."""
    for key in ("project_id", "region"):
        text = text.replace(f"'vertexai.{key}'", f"{key!r}")
    return text.replace("'vertexai.", "'run_config.")


def target_of(env: str | None, asked: str | None = None, path: Path | None = None) -> str:
    """Where a project's pipelines run.

    Raises:
        ProjectError: the project cannot be opened.
        ConfigError: several are configured and none is asked for, or a file is wrong.
    """
    return asked or configured(open_project(path, env=env).config_loader()).target
