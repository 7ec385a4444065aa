"""Cron expressions as KFP takes them: six fields, seconds first (https://pkg.go.dev/github.com/robfig/cron).

The parser on the server takes five fields too, and reads them as second to month: a run every hour becomes one every
minute without a word. So five fields, which everybody else means without seconds, get a zero before them here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import available_timezones

from kedro_kubeflow.errors import did_you_mean

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_WRITTEN_OUT = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_SHORTHANDS = tuple(_WRITTEN_OUT)


@dataclass(frozen=True)
class Field:
    """One field of a cron expression."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    first: int = 0
    """The number of the first name."""

    def check(self, text: str) -> None:
        """Refuse, by a ValueError, what is no such field."""
        for part in text.split(","):
            self._check_part(part)

    def numbers(self, text: str) -> list[int]:
        """The numbers that a field stands for; it has been checked.

        >>> HOUR.numbers("8-10,*/12")
        [0, 8, 9, 10, 12]
        """
        return sorted({number for part in text.split(",") for number in self._numbers_of(part)})

    def _numbers_of(self, part: str) -> range:
        span, slash, step = part.partition("/")
        if span in ("*", "?"):
            first, last = self.low, self.high
        else:
            ends = [self._number(end, part) for end in span.split("-")]
            # A single number with steps goes on to the end.
            first, last = ends[0], self.high if slash and len(ends) == 1 else ends[-1]
        return range(first, last + 1, int(step) if slash else 1)

    def _check_part(self, part: str) -> None:
        span, slash, step = part.partition("/")
        if slash and not (step.isdigit() and int(step) > 0):
            raise ValueError(f"{self.name}: {part!r} has no number of steps after the slash")
        if span in ("*", "?"):
            return
        ends = [self._number(end, part) for end in span.split("-")]
        if len(ends) > 2 or ends != sorted(ends):
            raise ValueError(f"{self.name}: {part!r} is no range")

    def _number(self, text: str, part: str) -> int:
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.first
        if not text.isdigit():
            known = f", {self.names[0]}-{self.names[-1]}" if self.names else ""
            raise ValueError(
                f"{self.name}: {part!r} is not understood; {self.low}-{self.high}{known}, *, lists and /steps are"
            )
        if not self.low <= int(text) <= self.high:
            hint = " (Sunday is 0 here)" if self.names is _DAYS and text == "7" else ""
            raise ValueError(f"{self.name}: {text} is not within {self.low}-{self.high}{hint}")
        return int(text)


SECOND, MINUTE, HOUR = Field("second", 0, 59), Field("minute", 0, 59), Field("hour", 0, 23)
DAY = Field("day of the month", 1, 31)
MONTH = Field("month", 1, 12, _MONTHS, 1)
WEEKDAY = Field("day of the week", 0, 6, _DAYS)
_FIELDS = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY)


def six_fields(expression: str) -> str:
    """A cron expression with seconds.

    >>> six_fields("30 2 * * MON-FRI")
    '0 30 2 * * MON-FRI'

    Raises:
        ValueError: it is none; the message names the field.
    """
    text = " ".join(expression.split())
    if text.startswith("@"):
        return _shorthand(text)
    zone, fields = split_zone(text)
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != len(_FIELDS):
        raise ValueError(
            f"{expression!r} has {len(fields)} fields; five (minute hour day month weekday) or six (seconds first) are needed"
        )
    for rule, field in zip(_FIELDS, fields, strict=True):
        rule.check(field)
    return " ".join([*zone, *fields])


def in_zone(expression: str, timezone: str) -> str:
    """A cron expression that is meant in a time zone, in place of the one that it names itself, if any.

    >>> in_zone("TZ=UTC 30 2 * * *", "Europe/Warsaw")
    'TZ=Europe/Warsaw 30 2 * * *'

    Raises:
        ValueError: it has no place for one, as it has no time of day.
    """
    if expression.strip().startswith("@"):
        raise ValueError(f"a time zone cannot be said of {expression.strip()!r}; write the expression out")
    # A machine may lack the list; then the server has the last word.
    known = available_timezones()
    if known and timezone not in known:
        raise ValueError(f"there is no time zone {timezone!r}. {did_you_mean(timezone, known)}")
    return " ".join([f"TZ={timezone}", *split_zone(expression)[1]])


def five_fields(expression: str) -> str:
    """A cron expression without seconds, as Unix and Vertex AI have it.

    >>> five_fields("TZ=Europe/Warsaw 0 30 2 * * *")
    'TZ=Europe/Warsaw 30 2 * * *'
    >>> five_fields("@daily")
    '0 0 * * *'

    Raises:
        ValueError: its seconds matter, or it is ``@every …``.
    """
    if expression.startswith("@"):
        if expression not in _WRITTEN_OUT:
            raise ValueError(f"{expression!r} has no times of day; write a cron expression")
        return _WRITTEN_OUT[expression]
    zone, fields = split_zone(expression)
    if len(fields) == len(_FIELDS):
        if fields[0] not in ("0", "00"):
            raise ValueError(f"{expression!r} counts seconds; runs start by the minute here")
        fields = fields[1:]
    return " ".join([*zone, *fields])


def split_zone(text: str) -> tuple[list[str], list[str]]:
    """The time zone that an expression names, as ``TZ=…`` or not at all, and its fields."""
    words = text.split()
    if words and re.fullmatch(r"TZ=[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", words[0]):
        return words[:1], words[1:]
    return [], words


def _shorthand(text: str) -> str:
    if text in _SHORTHANDS or re.fullmatch(r"@every (\d+(h|m|s))+", text):
        return text
    raise ValueError(f"{text!r} is not understood; known are {', '.join(_SHORTHANDS)} and @every 1h30m")
