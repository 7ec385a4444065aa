"""The whole of kubeflow.yml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from kedro_kubeflow.config.auth import AuthConfig
from kedro_kubeflow.config.code import CodeConfig
from kedro_kubeflow.config.image import ImageConfig
from kedro_kubeflow.config.jobs import JobConfig
from kedro_kubeflow.config.local import LocalConfig
from kedro_kubeflow.config.model import parse
from kedro_kubeflow.config.run_config import RunConfig
from kedro_kubeflow.config.server import ServerConfig
from kedro_kubeflow.config.vertexai import VertexAIConfig


class KubeflowConfig(ServerConfig):
    """kubeflow.yml."""

    auth: AuthConfig | None = None
    """Who you are to the server; found in the environment where nothing is said. Secrets stand here by reference only."""

    run_config: RunConfig = Field(default_factory=RunConfig)
    """How the pipeline's steps run."""

    jobs: dict[str, JobConfig] = Field(default_factory=dict)
    """What is run again and again, by name: a pipeline or a part of it, with parameters (`--job NAME`)."""

    vertexai: VertexAIConfig | None = None
    """Vertex AI Pipelines, beside or in place of `host`; `--target` chooses where both are configured."""

    targets: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What targets of other packages are told, by the target's name (`--target NAME`)."""
    code: CodeConfig = Field(default_factory=CodeConfig)
    """What goes along with a run whose steps take the project's code from this working folder."""

    image: ImageConfig = Field(default_factory=ImageConfig)
    """How the image of the steps is built (`kedro kubeflow image`)."""

    local: LocalConfig = Field(default_factory=LocalConfig)
    """Runs on this machine (`run-once --local`)."""


def read_config(data: Mapping[str, Any], *, where: str = "conf, kubeflow.yml") -> KubeflowConfig:
    """Check what kubeflow.yml says.

    Args:
        data: its content, environments merged and interpolations resolved.
        where: what to call it in an error.

    Raises:
        ConfigError: something in it is unknown, missing or wrong.
    """
    return parse(KubeflowConfig, data, where=where)
