"""``run_config.schedules``: when pipelines run by themselves, by pipeline name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timezone
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from kedro_kubeflow.config.cron import in_zone, six_fields
from kedro_kubeflow.config.duration import Duration
from kedro_kubeflow.config.model import Model

# The words of kedro-vertexai.
_SAME = {"cron_expression": "cron", "max_concurrent_run_count": "max_concurrency"}


class ScheduleConfig(Model):
    """When a pipeline runs by itself."""

    cron: str | None = None
    """A cron expression of five fields (minute hour day month weekday) or six (seconds first), or `@daily` and the like.
    Either this or `interval`."""

    timezone: str | None = None
    """The time zone that `cron` is meant in, such as `Europe/Warsaw`; the server's own, UTC as a rule, where neither this nor
    a `TZ=…` before the expression is given. Kubeflow Pipelines takes none: there it is written in UTC, where that means the same
    moments, as in zones whose clock is never put forward."""

    interval: Annotated[Duration, Field(ge=1)] | None = None
    """The time between two starts: seconds, or a number with `s`, `m`, `h`, `d` or `w`."""

    start_time: datetime | None = None
    """The first moment at which it may start; without an offset it is UTC."""

    end_time: datetime | None = None
    """The last moment at which it may start."""

    max_concurrency: int = Field(default=1, ge=1, le=10)
    """How many of its runs may be under way at once; `max_concurrent_run_count` is the same."""

    allow_queueing: bool = False
    """On Vertex AI: whether a run that is due waits while `max_concurrency` runs are under way, rather than being left out."""

    max_run_count: int | None = Field(default=None, ge=1)
    """On Vertex AI: after how many runs it ends."""

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

    @model_validator(mode="before")
    @classmethod
    def _other_words(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        values = dict(value)
        for word, name in _SAME.items():
            if word in values and name in values:
                raise ValueError(f"`{word}` and `{name}` are the same; one is enough")
            if word in values:
                values[name] = values.pop(word)
        if values.get("timezone") and isinstance(values.get("cron"), str):
            values["cron"] = in_zone(values["cron"], str(values["timezone"]))
        return values

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
        if self.timezone and self.cron is None:
            raise ValueError("`timezone` is for `cron`")
        if self.start_time and self.end_time and self.start_time >= self.end_time:
            raise ValueError("`start_time` must be before `end_time`")
        return self
