from __future__ import annotations

import re

import pytest

from kedro_kubeflow.config.cron import five_fields, in_zone, six_fields


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("0 3 * * *", "0 0 3 * * *"),
        ("15 0 3 * * *", "15 0 3 * * *"),
        ("  */15   9-17 * *  MON-FRI ", "0 */15 9-17 * * MON-FRI"),
        ("0 0 1,15 JAN-jun ?", "0 0 0 1,15 JAN-jun ?"),
        ("0 30/10 * ? * 0,6", "0 30/10 * ? * 0,6"),
        ("TZ=Europe/Warsaw 0 3 * * *", "TZ=Europe/Warsaw 0 0 3 * * *"),
        ("@daily", "@daily"),
        ("@every 1h30m", "@every 1h30m"),
    ],
)
def test_five_fields_get_a_second(written: str, sent: str) -> None:
    assert six_fields(written) == sent


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("", "has 0 fields"),
        ("* * * *", "has 4 fields; five"),
        ("* * * * * * *", "has 7 fields"),
        ("60 * * * *", "minute: 60 is not within 0-59"),
        ("61 0 3 * * *", "second: 61 is not within 0-59"),
        ("0 24 * * *", "hour: 24"),
        ("0 0 0 * *", "day of the month: 0 is not within 1-31"),
        ("0 0 * 13 *", "month: 13"),
        ("0 0 * * 7", "day of the week: 7 is not within 0-6 (Sunday is 0 here)"),
        ("0 0 * FOO *", "month: 'FOO' is not understood"),
        ("5-1 * * * *", "minute: '5-1' is no range"),
        ("1-2-3 * * * *", "minute: '1-2-3' is no range"),
        ("*/0 * * * *", "minute: '*/0' has no number of steps"),
        ("*/x * * * *", "minute: '*/x' has no number of steps"),
        ("1,,2 * * * *", "minute: '' is not understood"),
        ("-1 * * * *", "minute: '-1' is not understood"),
        ("@fortnightly", "known are @yearly"),
        ("@every day", "@every 1h30m"),
    ],
)
def test_what_is_wrong_is_named(written: str, what: str) -> None:
    with pytest.raises(ValueError, match=re.escape(what)):
        six_fields(written)


@pytest.mark.parametrize(
    ("written", "zone", "meant"),
    [
        ("30 2 * * *", "Europe/Warsaw", "TZ=Europe/Warsaw 30 2 * * *"),
        ("TZ=UTC  0 30 2 * * *", "Asia/Tokyo", "TZ=Asia/Tokyo 0 30 2 * * *"),
    ],
)
def test_in_a_time_zone(written: str, zone: str, meant: str) -> None:
    assert in_zone(written, zone) == meant
    assert in_zone(meant, zone) == meant


def test_time_zones_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="Did you mean 'Europe/Warsaw'"):
        in_zone("30 2 * * *", "Europe/Warsau")
    with pytest.raises(ValueError, match="write the expression out"):
        in_zone("@daily", "Europe/Warsaw")


@pytest.mark.parametrize(
    ("six", "five"),
    [
        ("0 30 2 * * MON-FRI", "30 2 * * MON-FRI"),
        ("TZ=Europe/Warsaw 0 30 2 * * *", "TZ=Europe/Warsaw 30 2 * * *"),
        ("@weekly", "0 0 * * 0"),
    ],
)
def test_without_seconds(six: str, five: str) -> None:
    assert five_fields(six) == five


@pytest.mark.parametrize("expression", ["30 0 2 * * *", "*/10 * * * * *", "@every 1h30m"])
def test_what_needs_seconds(expression: str) -> None:
    with pytest.raises(ValueError, match=r"seconds|times of day"):
        five_fields(expression)
