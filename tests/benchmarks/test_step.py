"""A step's own overhead, and the plugin's tax on `kedro` itself."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml
from conftest import MlflowServer
from kedro_project import KedroProject, make_project

from .measured import alternating, report, write

pytestmark = pytest.mark.benchmark


TIMES = 7
# A node that says when it begins and ends.
NODE = """
import time
from kedro.pipeline import Pipeline, node

def prepare(raw, limit):
    begin = time.time()
    rows = [x for x in raw if x < limit]
    print("NODE", begin, time.time(), flush=True)
    return rows

def create_pipeline():
    return Pipeline([node(prepare, ["raw", "params:limit"], "rows", name="prepare")])
"""


def run(project: KedroProject, argv: Sequence[str]) -> str:
    done = subprocess.run(
        argv,
        cwd=project.path,
        env=project.environment({"KEDRO_KUBEFLOW_RUN_ID": "r"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def steps(project: KedroProject) -> Callable[..., list[str]]:
    """Gives the command of a task of the compiled pipeline, with its inputs."""
    project.kubeflow("compile", "-o", "p.yaml").ok()
    spec = next(yaml.safe_load_all((project.path / "p.yaml").read_text()))

    def step(name: str, values: dict[str, object], *artifacts: str) -> list[str]:
        container = spec["deploymentSpec"]["executors"][f"exec-{name}"]["container"]
        argv = [sys.executable, *container["command"][1:], *container["args"]]
        made = {n: {"artifacts": [{"name": n, "uri": str(project.path / "out" / n)}]} for n in artifacts}
        outputs = {"artifacts": made, "outputFile": str(project.path / f"{name}.json")}
        return [*argv[:-1], json.dumps({"inputs": {"parameterValues": values}, "outputs": outputs})]

    return step


def tracked_step(project: KedroProject) -> list[str]:
    """The command of the step `prepare`, within an MLflow run that was started."""
    step = steps(project)
    run(project, step("mlflow-start-run", {"kubeflow-run-id": "r", "kubeflow-run-name": "n"}, "mlflow-run"))
    return step("prepare", {"limit": 3}, "rows")


def test_a_step_against_kedro_run(tmp_path: Path, mlflow_server: MlflowServer) -> None:
    project = make_project(tmp_path, mlflow={"server": {"mlflow_tracking_uri": mlflow_server.uri}})
    ours = tracked_step(project)
    theirs = [sys.executable, "-m", "kedro", "run", "--nodes", "prepare"]
    run(project, ours)
    run(project, theirs)
    seconds = alternating(lambda: run(project, ours), lambda: run(project, theirs))
    report("a step with kedro-mlflow over HTTP, against `kedro run --nodes`", *seconds, aim=1.0)


@pytest.mark.parametrize("tracked", [True, False], ids=["MLflow over HTTP", "without MLflow"])
def test_its_start_and_its_end(tmp_path: Path, mlflow_server: MlflowServer, tracked: bool) -> None:
    """From the process's start to the node's first line, and from the node's end to the process's."""
    mlflow = {"server": {"mlflow_tracking_uri": mlflow_server.uri}} if tracked else None
    project = make_project(tmp_path, pipelines=NODE, mlflow=mlflow)
    ours = tracked_step(project) if tracked else steps(project)("prepare", {"limit": 3}, "rows")
    run(project, ours)
    found = []
    for _ in range(TIMES):
        before, since = os.times(), time.time()
        out = run(project, ours)
        until, after = time.time(), os.times()
        begin, end = map(float, next(line for line in out.splitlines() if line.startswith("NODE")).split()[1:])
        work = after.children_user + after.children_system - before.children_user - before.children_system
        found.append((begin - since, until - end, work))
    start, end, work = (statistics.median(row[i] for row in found) for i in range(3))
    how = "MLflow over HTTP" if tracked else "without MLflow"
    write(f"a step, {how}: start to the node's first line {start:>25.2f} s  (aim 1.5 s), load {os.getloadavg()[0]:.1f}")
    write(f"a step, {how}: the node's end to the process's end {end:>22.2f} s  (aim 0.3 s)")
    write(f"a step, {how}: seconds of processors {work:>36.2f} s")


def test_the_tax_on_kedro_version(tmp_path: Path) -> None:
    """Our part of `kedro --version`: loading the entry point, beside everything that Kedro does anyway."""
    project = make_project(tmp_path)
    code = (
        "import time; from kedro.framework.cli.cli import main; import sys; "
        "since = time.perf_counter(); import kedro_kubeflow.cli as cli; import click; "
        "context = click.Context(cli.kubeflow); [cli.kubeflow.get_command(context, n) for n in cli.COMMANDS]; "
        "print((time.perf_counter() - since) * 1000)"
    )
    tax = []
    for _ in range(5):
        done = project.python("-c", code).ok()
        tax.append(float(done.out.split()[-1]))
    since = time.perf_counter()
    project.kedro("--version").ok()
    whole = (time.perf_counter() - since) * 1000
    print(f"\nthe plugin's part of `kedro --version`: {sorted(tax)[2]:.1f} ms (aim 30 ms)")
    report("`kedro --version` with the plugin, against without it", whole, whole - sorted(tax)[2], aim=1.05, unit="ms")


def test_a_gigabyte_through_a_handoff(tmp_path: Path) -> None:
    """Bytes written are the dataset's own, and the time is that of a plain save."""
    import numpy as np
    from kedro_datasets.pickle import PickleDataset

    pipeline = """
import os
import time
import numpy as np
from kedro.pipeline import Pipeline, node
from kedro.framework.hooks import hook_impl

SIZE = 1_000_000_000

def make():
    return np.random.default_rng(0).integers(0, 255, SIZE, dtype=np.uint8)

def create_pipeline():
    return Pipeline([node(make, None, "big", name="make"), node(len, "big", "count", name="count")])

class Clock:
    @hook_impl(trylast=True)
    def before_dataset_saved(self, dataset_name):
        self.since = time.perf_counter()
    @hook_impl(tryfirst=True)
    def after_dataset_saved(self, dataset_name):
        print("SAVED", dataset_name, time.perf_counter() - self.since)
"""
    project = make_project(
        tmp_path,
        pipelines=pipeline,
        parameters={},
        catalog={},
        settings="""
from demo.pipelines.main import Clock
HOOKS = (Clock(),)
""",
    )
    done = project.kedro("kubeflow", "run-once", "--local", "--output", "json").ok()
    facts = json.loads(done.out[done.out.index("\n{") :])
    folder = Path(facts["folder"])
    written = sum(p.stat().st_size for p in (folder / "artifacts").rglob("*") if p.is_file())
    log = next((folder / "logs").glob("make.log")).read_text()
    seconds = float(next(line for line in log.splitlines() if line.startswith("SAVED big")).split()[-1])

    data = np.random.default_rng(0).integers(0, 255, 1_000_000_000, dtype=np.uint8)
    plain = tmp_path / "plain.pkl"
    since = time.perf_counter()
    PickleDataset(filepath=str(plain), backend="cloudpickle").save(data)
    baseline = time.perf_counter() - since
    report(
        "1 GB through a handoff: bytes written, against a plain save",
        written / 1e6,
        plain.stat().st_size / 1e6,
        1.0,
        "MB",
    )
    report("1 GB through a handoff: saving, against a plain save", seconds, baseline, 1.1)
    assert written < plain.stat().st_size * 1.001
