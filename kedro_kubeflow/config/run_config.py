"""``run_config``: how the pipeline's steps run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from kedro_kubeflow.config.grouping import GroupingConfig, with_grouping
from kedro_kubeflow.config.mlflow import MlflowConfig
from kedro_kubeflow.config.model import Model


class RunConfig(Model):
    """How the pipeline's steps run."""

    image: str | None = None
    """The image of every step: the project with its requirements, kedro-kubeflow among them. `-i` overrides it."""

    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When a node of the cluster pulls the image."""

    experiment_name: str | None = None
    """The Kubeflow experiment that holds the runs; the project's name where it is not given."""

    run_name: str | None = None
    """What a run is called; `{parameter}` stands for a parameter's value."""

    scheduled_run_name: str | None = None
    """What the runs of a schedule are called; `run_name` where it is not given."""

    description: str | None = None
    """What the pipeline is for, shown in the UI."""

    wait_for_completion: bool = False
    """Whether `run-once` waits for the run's end."""

    memory_dataset: dict[str, Any] = Field(
        default_factory=lambda: {"type": "pickle.PickleDataset", "backend": "cloudpickle"}
    )
    """The catalog entry, without a path, that stores datasets which are in memory only when they cross from one step to
    another. Its type must take a `filepath`."""

    mlflow: MlflowConfig = Field(default_factory=MlflowConfig)
    """How the steps share one MLflow run."""

    grouping: GroupingConfig = Field(default_factory=GroupingConfig)
    """Which nodes share a step."""

    @model_validator(mode="before")
    @classmethod
    def _old_grouping(cls, value: Any) -> Any:
        return with_grouping(value) if isinstance(value, Mapping) else value

    @field_validator("image")
    @classmethod
    def _image(cls, value: str | None) -> str | None:
        if value is not None and (not value or re.search(r"\s", value)):
            raise ValueError(f"{value!r} is no image reference")
        return value

    @field_validator("memory_dataset")
    @classmethod
    def _memory_dataset(cls, value: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(value.get("type"), str):
            raise ValueError("a dataset's `type` is missing, such as `pickle.PickleDataset`")
        if "filepath" in value:
            raise ValueError("`filepath` is set for each step by the plugin; leave it out")
        return value
