"""The quickstart on this machine, against `kedro run` of the same project: as people wait for it, and in processor time."""

from __future__ import annotations

import resource
import shutil
import statistics
import time

import pytest
from kedro_project import KedroProject

from .measured import report

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]
TIMES = 5


def measured(project: KedroProject, *words: str) -> tuple[float, float]:
    """Seconds on the clock, and of processors, children's children included."""
    before, since = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    project.kedro(*words, timeout=1800).ok()
    clock, after = time.perf_counter() - since, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_run_once_against_kedro_run(quickstart: KedroProject) -> None:
    commands = {"kedro run": ("run",), "fork": ("kubeflow", "run-once", "--local")}
    # Once each for databases, bytecode, and what a run learns of its steps.
    first = {name: measured(quickstart, *words) for name, words in commands.items()}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(TIMES):
        for name, words in commands.items():
            found[name].append(measured(quickstart, *words))
    shutil.rmtree(quickstart.path / ".kubeflow")
    clock, work = ({name: statistics.median(row[i] for row in rows) for name, rows in found.items()} for i in (0, 1))
    report(
        "run-once --local, the first time, against the first `kedro run`", first["fork"][0], first["kedro run"][0], 2.5
    )
    report("run-once --local, seconds of processors, against `kedro run`", work["fork"], work["kedro run"], 2.2)
    report("run-once --local of the quickstart, against `kedro run`", clock["fork"], clock["kedro run"], 1.3)
