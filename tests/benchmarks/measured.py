"""Ratios against a baseline that is measured in the same run; nothing here gates on absolute time."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_TABLE = Path(__file__).with_name("results.txt")


def fastest(work: Callable[[], Any], times: int = 3) -> float:
    """Seconds of the fastest of several runs: what the machine can do when nothing else disturbs it."""
    seconds = []
    for _ in range(times):
        gc.collect()
        since = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - since)
    return min(seconds)


def alternating(one: Callable[[], Any], other: Callable[[], Any], times: int = 5) -> tuple[float, float]:
    """Median seconds of two works, run in turns, so that a machine that slows down slows both."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for work, list_ in zip((one, other), seconds, strict=True):
            since = time.perf_counter()
            work()
            list_.append(time.perf_counter() - since)
    return statistics.median(seconds[0]), statistics.median(seconds[1])


def report(what: str, ours: float, baseline: float, aim: float, unit: str = "s") -> float:
    """Print a row, and give the ratio."""
    ratio = ours / baseline
    row = f"{what:<58} {ours:>10.3f} {unit:<3} {baseline:>10.3f} {unit:<3} {ratio:>6.2f}x  (aim {aim:.2f}x)"
    write(row)
    return ratio


def write(row: str) -> None:
    """Print a row of the table."""
    print("\n" + row, end="")
    with _TABLE.open("a", encoding="utf-8") as table:
        table.write(row + "\n")
