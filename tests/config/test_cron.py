from __future__ import annotations

import re

import pytest

from kedro_kubeflow.config.cron import six_fields


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
