"""Own time of commands beyond `kedro --version` in the same project, in CPU seconds of one run; a server's answer is left out."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from kedro_project import KedroProject, make_project

pytestmark = pytest.mark.benchmark

TIMES = 5
# Commands that only ask a server, which is not there; commands that plan and compile.
ASKING = (
    ["runs"],
    ["runs", "--target", "local"],
    ["status", "x"],
    ["logs", "x"],
    ["list-pipelines"],
    ["schedule", "--list"],
)
PLANNING = (["plan"], ["check"], ["compile", "-o", os.devnull])


def cpu_seconds(project: KedroProject, *words: str) -> float:
    """CPU seconds of the command alone: other load on the machine does not count."""
    taken = []
    for _ in range(TIMES):
        before = os.times()
        subprocess.run(
            [sys.executable, "-m", "kedro", *words],
            cwd=project.path,
            env=project.environment(),
            capture_output=True,
            check=False,
        )
        after = os.times()
        taken.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return statistics.median(taken)


def test_own_time_of_commands(tmp_path: Path) -> None:
    project = make_project(tmp_path, parameters={"limit": 3})
    project.conf("kubeflow", {"host": "http://127.0.0.1:9", "run_config": {"image": "demo:1"}})
    base = cpu_seconds(project, "--version")
    print(f"\nkedro --version: {base:.2f} s; load {os.getloadavg()[0]:.1f}")
    for words in (*ASKING, *PLANNING):
        own = cpu_seconds(project, "kubeflow", *words) - base
        print(f"{' '.join(words):28} {own:+.2f} s  (x{1 + own / base:.2f})")
        assert own < (1.5 if words in PLANNING else 1.0), words
