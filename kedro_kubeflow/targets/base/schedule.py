"""Schedules, as every target tells of them, and what is to be done about one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from kedro_kubeflow.targets.base.run import Run

if TYPE_CHECKING:
    from kedro_kubeflow.config.schedules import ScheduleConfig
    from kedro_kubeflow.prepared import Prepared

DEFAULT = "default"
"""The name of a pipeline's schedule where it has but one."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """When a schedule starts runs: by a cron expression, or every so many seconds."""

    cron: str | None = None
    interval: int | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None

    def details(self) -> dict[str, Any]:
        """What this target alone knows of it, for programs."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A schedule as its target has it.

    Attributes:
        key: by which ours are known again, whatever they are called: pipeline and name; None for those of others.
        enabled: whether it starts anything.
        next_run_at: when it starts the next run, where the target tells.
        state: what the target says of it beside that.
    """

    id: str
    name: str
    key: str | None
    trigger: Trigger
    enabled: bool = True
    created_at: datetime | None = None
    next_run_at: datetime | None = None
    state: str | None = None

    def details(self) -> dict[str, Any]:
        """What this target alone knows of it, for programs."""
        return {}


@dataclass(frozen=True)
class Retired:
    """What became of a schedule that is to go.

    Attributes:
        deleted: else it is switched off, and goes the next time.
        runs: those of its runs that have not ended; where it was deleted, they have ended with it.
    """

    schedule: Schedule
    deleted: bool
    runs: Sequence[Run] = ()


@dataclass(frozen=True, kw_only=True)
class ScheduleRequest:
    """A schedule as it should be.

    Attributes:
        pipeline: the registered name of the pipeline, or the name of the job.
        name: tells several schedules of one pipeline apart.
        config: when it starts, and what its runs are given.
        prepared: compiles the pipeline with the schedule's parameters, for targets that do not schedule what was uploaded.
        experiment_namespace: where its runs are, if the configuration is not to say.
    """

    pipeline: str
    config: ScheduleConfig
    prepared: Callable[[], Prepared]
    name: str = DEFAULT
    experiment_namespace: str | None = None


@dataclass(frozen=True, kw_only=True)
class ScheduleChange:
    """What has to be done, or was done, for one schedule.

    Attributes:
        name: what people will see.
        existing: those of its key that are there; more than one after something went wrong.
        same: the one of them that is as it should be.
        request: what the target makes a new one of.
        details: what this target alone knows of it, for programs.
        made: the new one, once it is there.
        retired: what became of those that go, once it has.
    """

    key: str
    name: str
    trigger: Trigger
    enabled: bool
    existing: Sequence[Schedule]
    same: Schedule | None
    request: Any
    details: Mapping[str, Any] = field(default_factory=dict)
    made: Schedule | None = None
    retired: Sequence[Retired] = ()

    @property
    def replaced(self) -> list[Schedule]:
        """The ones that go."""
        return [schedule for schedule in self.existing if schedule is not self.same]

    @property
    def action(self) -> Literal["create", "replace", "none"]:
        """What it amounts to."""
        if self.replaced:
            return "replace"
        return "none" if self.same else "create"

    @property
    def schedule(self) -> Schedule | None:
        """The one that is there, or was made; None in a plan."""
        return self.made or self.same
