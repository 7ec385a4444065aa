from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from kedro_kubeflow.config.model import parse
from kedro_kubeflow.config.schedules import ScheduleConfig
from kedro_kubeflow.errors import ConfigError


def read(**keys: Any) -> ScheduleConfig:
    return parse(ScheduleConfig, keys, where="here")


def test_what_is_not_said() -> None:
    schedule = read(cron="0 3 * * *")
    assert schedule.cron == "0 0 3 * * *"
    assert (schedule.max_concurrency, schedule.catchup, schedule.enabled, schedule.version) == (1, True, True, None)


def test_a_schedule_is_read_twice_alike() -> None:
    """What the command line adds is put over what was read before."""
    once = read(cron="0 3 * * *", start_time="2026-03-01")
    assert read(**once.model_dump(exclude_unset=True)) == once


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=timezone.utc)),
        ("2026-03-01T12:30:00", datetime(2026, 3, 1, 12, 30, tzinfo=timezone.utc)),
        ("2026-03-01T12:30:00Z", datetime(2026, 3, 1, 12, 30, tzinfo=timezone.utc)),
        ("2026-03-01 12:30+02:00", datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=2)))),
        # As YAML reads dates that are not quoted.
        (datetime(2026, 3, 1).date(), datetime(2026, 3, 1, tzinfo=timezone.utc)),
        (datetime(2026, 3, 1, 12), datetime(2026, 3, 1, 12, tzinfo=timezone.utc)),
    ],
)
def test_moments(written: Any, moment: datetime) -> None:
    assert read(interval=60, start_time=written).start_time == moment


@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({}, "one of `cron` and `interval` is needed"),
        ({"cron": "0 3 * * *", "interval": 60}, "one of `cron` and `interval` is needed"),
        ({"cron": "0 25 * * *"}, "hour: 25"),
        ({"interval": 0}, "greater than or equal to 1"),
        ({"interval": "soon"}, "no length of time"),
        ({"interval": 60, "max_concurrency": 0}, "'max_concurrency'"),
        ({"interval": 60, "max_concurrency": 11}, "'max_concurrency'"),
        ({"interval": 60, "start_time": "2026-02-02", "end_time": "2026-02-01"}, "before"),
        ({"interval": 60, "start_time": "soon"}, "'start_time'"),
        ({"intervall": 60}, "Did you mean 'interval'?"),
        ({"interval": 60, "timezone": "Europe/Warsaw"}, "`timezone` is for `cron`"),
        ({"cron": "0 3 * * *", "timezone": "Europe/Warsau"}, "Did you mean 'Europe/Warsaw'"),
        ({"cron": "0 3 * * *", "cron_expression": "0 3 * * *"}, "are the same"),
        ({"cron": "0 3 * * *", "max_run_count": 0}, "'max_run_count'"),
    ],
)
def test_what_is_wrong(keys: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(**keys)
    assert what in str(caught.value)


def test_the_words_of_kedro_vertexai() -> None:
    schedule = read(
        cron_expression="0 3 * * *", timezone="Europe/Warsaw", max_concurrent_run_count=3, allow_queueing=True
    )
    assert (schedule.cron, schedule.max_concurrency) == ("TZ=Europe/Warsaw 0 0 3 * * *", 3)
    again = read(**schedule.model_dump(exclude_unset=True))
    assert again == schedule
