"""Schedules, as every target tells of them, and what is to be done about one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from kedro_kubeflow.compiler import CompiledPipeline
from kedro_kubeflow.config.schedules import ScheduleConfig

DEFAULT = "default"
"""The name of a pipeline's schedule where it has but one."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """When a schedule starts runs: by a cron expression, or every so many seconds."""

    cron: str | None = None
    interval: int | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A schedule as its target has it.

    Attributes:
        key: by which ours are known again, whatever they are called: pipeline and name; None for those of others.
        enabled: whether it starts anything.
    """

    id: str
    name: str
    key: str | None
    trigger: Trigger
    enabled: bool = True
    created_at: datetime | None = None

    def details(self) -> dict[str, Any]:
        """What this target alone knows of it, for programs."""
        return {}


@dataclass(frozen=True, kw_only=True)
class ScheduleRequest:
    """A schedule as it should be.

    Attributes:
        pipeline: the registered name of the pipeline, or the name of the job.
        name: tells several schedules of one pipeline apart.
        config: when it starts, and what its runs are given.
        compiled: compiles the pipeline with the schedule's parameters, for targets that do not schedule what was uploaded.
        experiment_namespace: where its runs are, if the configuration is not to say.
    """

    pipeline: str
    config: ScheduleConfig
    compiled: Callable[[], CompiledPipeline]
    name: str = DEFAULT
    experiment_namespace: str | None = None


@dataclass(frozen=True, kw_only=True)
class ScheduleChange:
    """What has to be done, or was done, for one schedule.

    Attributes:
        action: ``none`` where one like it is there already.
        name: what people will see.
        schedule: the one that is there, or was made; None in a plan.
        replaced: the ones that go.
        make: makes the new one.
        details: what this target alone knows of it, for programs.
    """

    action: Literal["create", "replace", "none"]
    key: str
    name: str
    trigger: Trigger
    enabled: bool
    schedule: Schedule | None
    replaced: Sequence[Schedule]
    make: Callable[[], Schedule]
    details: Mapping[str, Any] = field(default_factory=dict)
