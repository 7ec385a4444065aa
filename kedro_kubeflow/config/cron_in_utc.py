"""Cron expressions of a time zone, in UTC: possible where the zone's clock is never put forward or back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from kedro_kubeflow.config.cron import DAY, HOUR, MINUTE, MONTH, WEEKDAY, Field, split_zone

_YEARS = 10
_ANY = ("*", "?")
_SAFE = range(1, 29)
"""Days that every month has."""
_MINUTES = 24 * 60


def in_utc(expression: str) -> str:
    """The expression of six fields in UTC that means the same moments; one without a time zone stays as it is.

    >>> in_utc("TZ=Asia/Tokyo 0 30 2 * * MON-FRI")
    '0 30 17 * * 0-4'

    Raises:
        ValueError: there is none; the message says why.
    """
    zone, fields = split_zone(expression)
    if not zone:
        return expression
    offset = _offset(zone[0].removeprefix("TZ="))
    return " ".join(_shifted(fields, -offset) if offset else fields)


def _offset(zone: str) -> int:
    """By how many minutes the zone is ahead of UTC, over the years to come."""
    try:
        clock = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"this machine knows no time zone {zone!r}") from error
    now = datetime.now(timezone.utc)
    # What is put forward or back stays so for weeks.
    days = (now + timedelta(days=days) for days in range(0, 366 * _YEARS, 5))
    offsets = {day.astimezone(clock).utcoffset() or timedelta() for day in days}
    if len(offsets) > 1:
        raise ValueError(f"the clock of {zone} is put forward and back (daylight saving time)")
    minutes, rest = divmod(offsets.pop(), timedelta(minutes=1))
    if rest:
        raise ValueError(f"the clock of {zone} differs from UTC by no whole minutes")
    return minutes


def _shifted(fields: Sequence[str], by: int) -> list[str]:
    """The fields, each moment that many minutes later."""
    second, minute, hour, day, month, weekday = fields
    moments = [60 * h + m + by for h in HOUR.numbers(hour) for m in MINUTE.numbers(minute)]
    times = [moment % _MINUTES for moment in moments]
    hours, minutes = sorted({t // 60 for t in times}), sorted({t % 60 for t in times})
    if len(hours) * len(minutes) != len(times):
        raise ValueError("some of its minutes fall into another hour there than the others")
    days = (day, month, weekday)
    return [second, _written(MINUTE, minutes, minute), _written(HOUR, hours, hour), *_other_days(days, moments)]


def _other_days(days: tuple[str, str, str], moments: Sequence[int]) -> tuple[str, str, str]:
    """Day, month and weekday of moments, which count from the day's beginning in the zone."""
    away = {moment // _MINUTES for moment in moments}
    if away == {0} or all(field in _ANY for field in days):
        return days
    if len(away) > 1:
        raise ValueError("some of its times fall on another day there than the others")
    return _moved(days, away.pop())


def _moved(days: tuple[str, str, str], by: int) -> tuple[str, str, str]:
    """The same days, seen from the day before or after."""
    day, month, weekday = days
    every_day, every_weekday = day in _ANY, weekday in _ANY
    if not (every_day or every_weekday) and "*" in day + weekday:
        # Whether both must fit, or one of them, depends on the star.
        raise ValueError("days of the month and of the week that are counted in steps cannot be moved to another day")
    if len(MONTH.numbers(month)) < 12 and (every_day or not every_weekday):
        raise ValueError("the first or last day of a month falls into another month there")
    if not every_day:
        before, after = DAY.numbers(day), [number + by for number in DAY.numbers(day)]
        if not {*before, *after} <= {*_SAFE}:
            raise ValueError("the day of the month falls into another month there, or not every month has it")
        day = _written(DAY, after, day)
    if not every_weekday:
        weekday = _written(WEEKDAY, sorted((number + by) % 7 for number in WEEKDAY.numbers(weekday)), weekday)
    return day, month, weekday


def _written(field: Field, numbers: Sequence[int], before: str) -> str:
    """Numbers as a field; as it was written before, where they are the same."""
    if list(numbers) == field.numbers(before):
        return before
    if len(numbers) == field.high - field.low + 1:
        return "*"
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
