"""``run_config.schedules``: when pipelines run by themselves, by pipeline name."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timezone
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from kedro_kubeflow.config.cron import six_fields
from kedro_kubeflow.config.duration import Duration
from kedro_kubeflow.config.model import Model


class ScheduleConfig(Model):
    """When a pipeline runs by itself."""

    cron: str | None = None
    """A cron expression of five fields (minute hour day month weekday) or six (seconds first), or `@daily` and the like.
    In the time zone of the server's controller, UTC as a rule. Either this or `interval`."""

    interval: Annotated[Duration, Field(ge=1)] | None = None
    """The time between two starts: seconds, or a number with `s`, `m`, `h`, `d` or `w`."""

    start_time: datetime | None = None
    """The first moment at which it may start; without an offset it is UTC."""

    end_time: datetime | None = None
    """The last moment at which it may start."""

    max_concurrency: int = Field(default=1, ge=1, le=10)
    """How many of its runs may be under way at once."""

    catchup: bool = True
    """Whether missed starts are made up for, as after a pause."""

    enabled: bool = True
    """Whether it starts anything."""

    version: str | None = None
    """The version that it runs: an id or a name; `latest` lets the server take the newest at each start. Without it, it
    stays with the version that is the newest when the schedule is made."""

    params: dict[str, Any] = Field(default_factory=dict)
    """Kedro parameters that its runs have other values of."""

    experiment_name: str | None = None
    """The experiment that holds its runs; `run_config.experiment_name` where it is not given."""

    run_name: str | None = None
    """What it and its runs are called; `run_config.scheduled_run_name` where it is not given."""

    service_account: str | None = None
    """The Kubernetes service account of its runs."""

    @field_validator("cron")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        return six_fields(value) if value is not None else None

    @field_validator("start_time", "end_time", mode="before")
    @classmethod
    def _moment(cls, value: Any) -> Any:
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime.combine(value, time())
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value.strip()):
            value = f"{value.strip()}T00:00:00"
        return value

    @field_validator("start_time", "end_time")
    @classmethod
    def _zone(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=timezone.utc) if value and value.tzinfo is None else value

    @model_validator(mode="after")
    def _whole(self) -> ScheduleConfig:
        if (self.cron is None) == (self.interval is None):
            raise ValueError("one of `cron` and `interval` is needed")
        if self.start_time and self.end_time and self.start_time >= self.end_time:
            raise ValueError("`start_time` must be before `end_time`")
        return self
