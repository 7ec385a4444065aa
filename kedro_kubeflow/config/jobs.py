"""``jobs``: what is run again and again, under a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator, model_validator

from kedro_kubeflow.config.model import Model
from kedro_kubeflow.config.schedules import ScheduleConfig
from kedro_kubeflow.errors import ConfigError, did_you_mean


class JobConfig(Model):
    """A pipeline or a part of it, with parameters, under a name (`--job NAME`). What the command line says goes first."""

    description: str | None = None
    """What it is for, shown in the UI; `run_config.description` where it is not given."""

    pipeline: str | None = None
    """The registered pipeline; `__default__` where neither this nor `pipelines` is given."""

    pipelines: tuple[str, ...] = ()
    """Several registered pipelines, run as one."""

    nodes: tuple[str, ...] = ()
    """Only these nodes, as `kedro run --nodes` takes them."""

    from_nodes: tuple[str, ...] = ()
    """These nodes and what follows from them."""

    to_nodes: tuple[str, ...] = ()
    """These nodes and what they need."""

    from_inputs: tuple[str, ...] = ()
    """What follows from these datasets."""

    to_outputs: tuple[str, ...] = ()
    """What these datasets need."""

    tags: tuple[str, ...] = ()
    """Only nodes that have one of these tags."""

    namespaces: tuple[str, ...] = ()
    """Only nodes of these namespaces."""

    parameters: dict[str, Any] = Field(default_factory=dict)
    """Kedro parameters that it has other values of, nested as in parameters.yml."""

    schedule: ScheduleConfig | None = None
    """When it runs by itself: a cron expression, or a mapping as in `run_config.schedules`."""

    @field_validator(
        "pipelines", "nodes", "from_nodes", "to_nodes", "from_inputs", "to_outputs", "tags", "namespaces", mode="before"
    )
    @classmethod
    def _one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("schedule", mode="before")
    @classmethod
    def _cron(cls, value: Any) -> Any:
        return {"cron": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _pipelines(self) -> JobConfig:
        if self.pipeline and self.pipelines:
            raise ValueError("one of `pipeline` and `pipelines` is enough")
        return self


def find_job(name: str, jobs: Mapping[str, JobConfig]) -> JobConfig:
    """One of ``jobs`` in kubeflow.yml.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in jobs:
        raise ConfigError(
            f"There is no job {name!r}. {did_you_mean(name, jobs)}", where="kubeflow.yml, jobs", cure="add it there"
        )
    return jobs[name]


def over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Nested parameters over others; mappings are put together key by key."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = over(under, value) if isinstance(value, Mapping) and isinstance(under, Mapping) else value
    return merged
