"""Where pipelines run: Kubeflow Pipelines or Vertex AI Pipelines, as the project is configured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kedro_kubeflow.config.kubeflow import KubeflowConfig, read_config
from kedro_kubeflow.config.selectors import Known
from kedro_kubeflow.config.vertexai_file import FILE, from_kedro_vertexai
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.project.conf import read_kubeflow, read_section, read_vertexai
from kedro_kubeflow.project.opening import open_project

Target = Literal["kubeflow", "vertexai"]
TARGETS: tuple[Target, ...] = ("kubeflow", "vertexai")
_SECTION = "vertexai:\n    project_id: PROJECT\n    region: REGION\n    root: gs://BUCKET/FOLDER"


@dataclass(frozen=True)
class Configured:
    """A target, and what the project's configuration says where it is chosen."""

    target: Target
    config: KubeflowConfig


def configured(
    loader: Any, asked: Target | None = None, *, known: Callable[[], Known] = Known, either: bool = False
) -> Configured:
    """The target that is asked for; where none is, the one that is configured.

    Args:
        loader: the project's config loader.
        known: gives what a vertexai.yml may name; see `from_kedro_vertexai`.
        either: whether Kubeflow will do where both are configured, as for a run on this machine.

    Raises:
        ConfigError: what is asked for is not configured, both are and none is asked for, or a file is wrong.
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
        chosen = _chosen(
            asked, host=bool(config.host), vertexai=bool(config.vertexai or file is not None), either=either
        )
        if chosen == "kubeflow" or config.vertexai:
            return Configured(chosen, config)
    elif asked == "kubeflow":
        # Says that there is none, and how to make one.
        read_kubeflow(loader)
    return Configured("vertexai", _from_file(file or {}, known))


def _chosen(asked: Target | None, *, host: bool, vertexai: bool, either: bool) -> Target:
    if asked == "vertexai" and not vertexai:
        raise ConfigError(
            "Vertex AI Pipelines is not configured", where="conf, kubeflow.yml", cure=f"add\n\n  {_SECTION}\n"
        )
    if asked:
        return asked
    if host and vertexai and not either:
        raise ConfigError(
            "Kubeflow Pipelines and Vertex AI Pipelines are both configured",
            where="conf, kubeflow.yml",
            cure="choose one with --target kubeflow or --target vertexai",
        )
    return "vertexai" if vertexai and not host else "kubeflow"


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


def target_of(env: str | None, asked: Target | None = None, path: Path | None = None) -> Target:
    """Where a project's pipelines run.

    Raises:
        ProjectError: the project cannot be opened.
        ConfigError: both are configured and none is asked for, or a file is wrong.
    """
    return asked or configured(open_project(path, env=env).config_loader()).target
