"""Own time of commands beyond `kedro --version` in the quickstart, measured in turns, in one run.

On the clock, and in seconds of processors, which another load on the machine lengthens less. The stand-in server answers from the
process of the tests, so that its own work is in the first alone.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator, Sequence

import pytest
from kedro_project import KedroProject
from kfp_server import KfpServer

from kedro_kubeflow.targets.local.history import FOLDER, RUNS

from .measured import write

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]

TIMES = 5
ASKING, PLANNING = 0.3, 0.6
"""What they may take beyond `kedro --version`: commands that ask a target, and those that plan and compile."""

Row = tuple[tuple[str, ...], float]


@pytest.fixture
def server() -> Iterator[KfpServer]:
    with KfpServer() as running:
        yield running


def asking(project: KedroProject, server: KfpServer) -> Iterator[Row]:
    """Runs, a schedule and a pipeline on the server, a run here, and the commands that ask for them."""
    project.kubeflow("upload-pipeline").ok()
    project.kubeflow("schedule", "--cron", "0 3 * * *").ok()
    there = json.loads(project.kubeflow("run-once", "--output", "json").ok().out)["run_id"]
    while server.runs.get(there)["state"] != "SUCCEEDED":
        pass
    project.kedro("kubeflow", "run-once", "--local", timeout=600).ok()
    [here] = [folder.name for folder in (project.path / FOLDER / RUNS).iterdir() if folder.is_dir()]
    for words in (
        ("runs",),
        ("status", there),
        ("logs", there),
        ("list-pipelines",),
        ("schedule", "--list"),
        ("runs", "--target", "local"),
        ("status", here),
        ("logs", here),
    ):
        yield words, ASKING


def planning() -> Iterator[Row]:
    for words in (("plan",), ("check",), ("compile", "-o", os.devnull)):
        yield words, PLANNING


def measured(project: KedroProject, words: Sequence[str]) -> tuple[float, float]:
    """Seconds on the clock, and of processors."""
    before, since = os.times(), time.perf_counter()
    done = project.kedro(*words)
    clock, after = time.perf_counter() - since, os.times()
    # `check` finds that the quickstart's MLflow is a file of this machine.
    assert done.code == 0 or "mlflow-address" in done.out, done.text
    return clock, after.children_user + after.children_system - before.children_user - before.children_system


def test_own_time_of_commands(quickstart: KedroProject, server: KfpServer) -> None:
    quickstart.conf("kubeflow", {"host": server.url, "run_config": {"image": "demo:1"}}, env="local")
    rows = [
        (("--version",), 0.0),
        *((("kubeflow", *words), aim) for words, aim in (*asking(quickstart, server), *planning())),
    ]
    found: dict[tuple[str, ...], list[tuple[float, float]]] = {
        words: [measured(quickstart, words)] for words, _ in rows
    }
    for _ in range(TIMES - 1):
        for words, _ in rows:
            found[words].append(measured(quickstart, words))
    for index, kind in enumerate(("on the clock", "of processors")):
        medians = {words: statistics.median(row[index] for row in taken) for words, taken in found.items()}
        base = medians["--version",]
        write(f"seconds {kind}, beyond `kedro --version` ({base:.2f} s), load {os.getloadavg()[0]:.1f}")
        for words, aim in rows[1:]:
            own = medians[words] - base
            write(f"{' '.join(words):<58} {own:>+10.3f} s   {medians[words] / base:>6.2f}x  (aim +{aim:.1f} s)")
