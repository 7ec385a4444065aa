"""Cron expressions of a time zone, held in UTC against what they mean there, minute by minute."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from kedro_kubeflow.config.cron import DAY, HOUR, MINUTE, MONTH, WEEKDAY, six_fields
from kedro_kubeflow.config.cron_in_utc import in_utc

ZONES = ("Asia/Tokyo", "Asia/Kolkata", "Asia/Kathmandu", "America/Phoenix", "Pacific/Kiritimati", "Etc/GMT+12")
PUTS_FORWARD = ("Europe/Warsaw", "America/New_York", "Africa/Casablanca", "Australia/Lord_Howe")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 30 9 * * *", "0 30 9 * * *"),
        ("TZ=Etc/UTC 0 30 9 * * *", "0 30 9 * * *"),
        ("TZ=Asia/Tokyo 0 30 9 * * *", "0 30 0 * * *"),
        ("TZ=Asia/Tokyo 15 30 2 * * MON-FRI", "15 30 17 * * 0-4"),
        ("TZ=Asia/Tokyo 0 */15 * * * *", "0 */15 * * * *"),
        ("TZ=Asia/Tokyo 0 0 8-17 * * *", "0 0 0-8,23 * * *"),
        ("TZ=Asia/Tokyo 0 0 9-17 * * SUN", "0 0 0-8 * * SUN"),
        ("TZ=Asia/Tokyo 0 0 3 15 3 *", "0 0 18 14 3 *"),
        ("TZ=Asia/Tokyo 0 0 3 2-28/2 * *", "0 0 18 1,3,5,7,9,11,13,15,17,19,21,23,25,27 * *"),
        ("TZ=America/Phoenix 0 0 20 27 * SAT", "0 0 3 28 * 0"),
        ("TZ=Asia/Kolkata 0 0 9 * * *", "0 30 3 * * *"),
        ("TZ=Asia/Kolkata 0 10,40 * * * MON", None),
        ("TZ=Asia/Kolkata 0 10,40 * * * *", "0 10,40 * * * *"),
        ("TZ=Asia/Kolkata 0 0,30 9 * * *", None),
        ("TZ=Asia/Tokyo 0 0 3,12 * * MON", None),
        ("TZ=Asia/Tokyo 0 0 3 1 * *", None),
        ("TZ=Asia/Tokyo 0 0 3 31 * *", None),
        ("TZ=America/Phoenix 0 0 20 28 * *", None),
        ("TZ=Asia/Tokyo 0 0 3 * 3 *", None),
        ("TZ=Asia/Tokyo 0 0 3 15 3 MON", None),
        ("TZ=Asia/Tokyo 0 0 3 15 * */2", None),
    ],
)
def test_what_becomes_of_it(expression: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match=r"there|star|moved"):
            in_utc(expression)
    else:
        assert in_utc(expression) == expected


@pytest.mark.parametrize("zone", PUTS_FORWARD)
def test_a_clock_that_is_put_forward_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="is put forward and back"):
        in_utc(f"TZ={zone} 0 30 9 * * *")


def test_a_zone_that_is_not_known() -> None:
    with pytest.raises(ValueError, match="knows no time zone 'Asia/Tokio'"):
        in_utc("TZ=Asia/Tokio 0 30 9 * * *")


def test_the_same_moments() -> None:
    """Random expressions: each either is refused, or starts at the very same moments of two years, one of them a leap year."""
    draw = random.Random(25)
    done = 0
    for number in range(300):
        zone = ZONES[number % len(ZONES)]
        expression = six_fields(" ".join(_field(draw, *rule) for rule in _RULES))
        try:
            shifted = in_utc(f"TZ={zone} {expression}")
        except ValueError:
            continue
        clock = ZoneInfo(zone)
        there = {moment.replace(tzinfo=clock).astimezone(timezone.utc) for moment in _moments(expression)}
        here = {moment.replace(tzinfo=timezone.utc) for moment in _moments(shifted)}
        inner = {m for m in there ^ here if _FIRST < m < _LAST}
        assert not inner, (zone, expression, shifted, sorted(inner)[:3])
        done += 1
    assert done > 100


_RULES = (
    ("*", "0", "30", "15,45", "*/20", "5-7"),
    ("*", "3", "9,21", "8-17", "*/6", "23", "0"),
    ("*", "*", "*", "?", "1", "15", "2-28", "28", "31", "*/10"),
    ("*", "*", "*", "3", "2,7"),
    ("*", "*", "MON", "MON-FRI", "0,6"),
)
_START, _END = datetime(2027, 1, 1), datetime(2029, 1, 1)
_FIRST, _LAST = (m.replace(tzinfo=timezone.utc) for m in (datetime(2027, 1, 3), datetime(2028, 12, 29)))


def _field(draw: random.Random, *choices: str) -> str:
    return draw.choice(choices)


def _moments(expression: str) -> list[datetime]:
    """Every minute of those years that fits, as the server's cron library decides it."""
    _, minute, hour, day, month, weekday = expression.split()
    minutes, hours, days = MINUTE.numbers(minute), HOUR.numbers(hour), DAY.numbers(day)
    months, weekdays = MONTH.numbers(month), WEEKDAY.numbers(weekday)
    found = []
    for number in range((_END - _START).days):
        date = _START + timedelta(days=number)
        fits = (date.day in days, date.isoweekday() % 7 in weekdays)
        # With a star in either, both must fit; without, one of them.
        both = day[0] in "*?" or weekday[0] in "*?"
        if date.month in months and (all(fits) if both else any(fits)):
            found += [date + timedelta(hours=h, minutes=m) for h in hours for m in minutes]
    return found
