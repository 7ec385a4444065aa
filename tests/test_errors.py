"""An error in one line, down to its root."""

from __future__ import annotations

import sys

import pytest

from kedro_kubeflow.errors import described


class Odd(Exception):
    def __str__(self) -> str:
        raise TypeError("no text")


def raised(error: BaseException, *causes: BaseException) -> BaseException:
    one = error
    for cause in causes:
        one.__cause__ = cause
        one = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("two\n  lines ✓"), "ValueError: two lines ✓"),
        (AssertionError(), "AssertionError"),
        (Odd(), "Odd"),
        (
            raised(RuntimeError("no fit"), KeyError("x"), OSError("gone")),
            "RuntimeError: no fit, because of KeyError: 'x', because of OSError: gone",
        ),
        (raised(RuntimeError("rows: it is gone"), OSError("it is gone")), "RuntimeError: rows: it is gone"),
        (raised(RuntimeError("no fit"), AssertionError()), "RuntimeError: no fit, because of AssertionError"),
    ],
)
def test_one_line(error: BaseException, said: str) -> None:
    assert described(error) == said


def test_what_was_only_being_dealt_with_is_no_cause() -> None:
    error = ValueError("bad")
    error.__context__ = KeyError("other")
    assert described(error) == "ValueError: bad"


def test_causes_in_a_circle_end() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert described(one) == "ValueError: one, because of ValueError: other"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="groups came with Python 3.11")
def test_the_members_of_a_group_are_named() -> None:
    group = ExceptionGroup("some", [ValueError("a"), ExceptionGroup("inner", [KeyError("b")])])  # type: ignore[name-defined, unused-ignore] # noqa: F821
    assert described(group).endswith(": ValueError: a; ExceptionGroup: inner (1 sub-exception): KeyError: 'b'")
