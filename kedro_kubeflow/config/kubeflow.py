"""The whole of kubeflow.yml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from kedro_kubeflow.config.jobs import JobConfig
from kedro_kubeflow.config.local import LocalConfig
from kedro_kubeflow.config.model import Model, parse
from kedro_kubeflow.config.run_config import RunConfig
from kedro_kubeflow.config.vertexai import VertexAIConfig


class KubeflowConfig(Model):
    """kubeflow.yml."""

    host: str | None = None
    """The address of Kubeflow Pipelines, such as `https://kubeflow.example.com/pipeline`."""

    run_config: RunConfig = Field(default_factory=RunConfig)
    """How the pipeline's steps run."""

    jobs: dict[str, JobConfig] = Field(default_factory=dict)
    """What is run again and again, by name: a pipeline or a part of it, with parameters (`--job NAME`)."""

    vertexai: VertexAIConfig | None = None
    """Vertex AI Pipelines, beside or in place of `host`; `--target` chooses where both are configured."""

    local: LocalConfig = Field(default_factory=LocalConfig)
    """Runs on this machine (`run-once --local`)."""

    @field_validator("host")
    @classmethod
    def _host(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError(f"{value!r} has no scheme; write it as https://{value} (or http://)")
        return value.rstrip("/") if value else None


def read_config(data: Mapping[str, Any], *, where: str = "conf, kubeflow.yml") -> KubeflowConfig:
    """Check what kubeflow.yml says.

    Args:
        data: its content, environments merged and interpolations resolved.
        where: what to call it in an error.

    Raises:
        ConfigError: something in it is unknown, missing or wrong.
    """
    return parse(KubeflowConfig, data, where=where)
