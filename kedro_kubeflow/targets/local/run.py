"""Start a run on this machine, follow it, and leave no process behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kedro_kubeflow.compiler import CompiledPipeline
from kedro_kubeflow.contract import JOB_ID_INPUT, LOCAL_ENV, STATUS_INPUT, VOLUME_ENV, StepCall
from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.names import task_name
from kedro_kubeflow.project.image_files import ImageFiles
from kedro_kubeflow.targets.local import standby, worker
from kedro_kubeflow.targets.local.adapter import Runner
from kedro_kubeflow.targets.local.history import new_run

State = Literal["waiting", "running", "succeeded", "cached", "failed", "skipped"]


@dataclass
class StepProgress:
    """One step of a local run, as it is now.

    Attributes:
        seconds: how long its process took, all attempts together.
        started_at: when its turn came, in seconds since the epoch; ``process_at``: when its last process began.
    """

    step: str
    state: State = "waiting"
    seconds: float = 0.0
    started_at: float | None = None
    process_at: float | None = None
    finished_at: float | None = None
    log: Path | None = None
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class LocalRun:
    """A local run, as it is now.

    Attributes:
        outputs: of each step, dataset → where its artifact lies.
        mlflow: what the steps said of the MLflow run: ``run_id``, ``experiment_id``, ``tracking_uri``, ``status``.
    """

    run_id: str
    folder: Path
    steps: dict[str, StepProgress]
    state: Literal["running", "succeeded", "failed", "interrupted"] = "running"
    mlflow: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> list[StepProgress]:
        """The steps that failed."""
        return [step for step in self.steps.values() if step.state == "failed"]


def run_here(
    compiled: CompiledPipeline,
    *,
    project: Path,
    steps: list[str],
    finish: StepCall | None,
    runner: Runner = "subprocess",
    environ: Mapping[str, str] | None = None,
    cache: Path | None = None,
    volume: Literal["keep", "delete"] | None = None,
    image: ImageFiles | None = None,
    isolation: Literal["fork", "process"] = "process",
    max_parallel: int = 1,
    types: Collection[str] = (),
    package: str | None = None,
    on_change: Callable[[LocalRun], None] = lambda _: None,
) -> LocalRun:
    """Run a compiled pipeline on this machine.

    Args:
        project: the project folder, where the steps' processes work.
        steps: every task's title, in order.
        finish: the call that does what is to be done at the end, if no task has done it; None where there is none.
        environ: environment variables for every step.
        cache: where results of cached steps are kept.
        volume: whether the steps share one, and what becomes of it after a success; after a failure it stays.
        image: lets each step work in a folder of its own that holds these files, with its input artifacts and no others;
            None lets all work in the project's folder.
        isolation: whether a step's process is a fork of one that has imported its libraries, where that is safe.
        max_parallel: how many steps may run at once.
        types: the dataset types of the catalog, whose libraries a fork is to have.
        package: the project's own package, which it is not to have.
        on_change: is called with the run whenever something in it changes.

    Raises:
        KedroKubeflowError: the run could not start.
    """
    with new_run(project) as folder:
        run = LocalRun(folder.name, folder, {title: StepProgress(title) for title in steps})
        (folder / "pipeline.yaml").write_text(compiled.text, "utf-8")
        request = {
            "run_id": run.run_id,
            "runner": runner,
            "project": str(project),
            "environ": dict(environ or {}),
            "cache": str(cache) if cache else None,
            "volume": volume is not None,
            "isolated": image is not None,
            "isolation": isolation,
            "max_parallel": max_parallel,
            "tracking": "--tracking" in compiled.text,
            "types": sorted(types),
            "package": package,
        }
        if image:
            image.copy_to(folder / worker.IMAGE)
        if volume:
            (folder / worker.VOLUME).mkdir()
        (folder / "request.json").write_text(json.dumps(request), "utf-8")
        on_change(run)
        try:
            with _worker(project, folder) as process:
                _follow(run, process, on_change)
                run.state = "succeeded" if process.wait() == 0 else "failed"
        except KeyboardInterrupt:
            run.state = "interrupted"
        finally:
            _settle(run)
            if finish and _left_undone(run, finish):
                values = {name: compiled.parameters[name] for name, _ in finish.parameters}
                _finish(run, project, finish, values, environ or {})
            if volume == "delete" and run.state == "succeeded":
                shutil.rmtree(folder / worker.VOLUME, ignore_errors=True)
            for made in (worker.IMAGE, worker.PODS):
                shutil.rmtree(folder / made, ignore_errors=True)
            on_change(run)
    return run


@contextmanager
def _worker(project: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """The worker's process; whatever happens, its whole group is gone afterwards."""
    worker = standby.take(project, sys.argv[1:])
    try:
        yield worker.run(folder)
    finally:
        worker.end()


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """What the worker prints, as long as nobody interrupts.

    A library may have had system calls go on after a signal, as polars does when it is imported, and MLflow imports it: Python
    would hear of Ctrl-C with the next line.
    """
    while process.stdout is not None:
        signal.siginterrupt(signal.SIGINT, True)
        line = process.stdout.readline()
        if not line:
            return
        yield line


def _follow(run: LocalRun, process: subprocess.Popen[str], on_change: Callable[[LocalRun], None]) -> None:
    for line in _lines(process):
        event: dict[str, Any] = json.loads(line)
        if event["event"] == "error":
            raise KedroKubeflowError(event["text"])
        step = run.steps.setdefault(event["step"], StepProgress(event["step"]))
        if event["event"] == "started":
            step.state, step.log, step.outputs = "running", Path(event["log"]), event["outputs"]
            step.started_at = step.started_at or event["at"]
        elif event["event"] == "cached":
            step.state, step.outputs = "cached", event["outputs"]
        else:
            step.state = "succeeded" if event["succeeded"] else "failed"
            step.seconds += event["seconds"]
            step.process_at, step.finished_at = event["process_at"], event["at"]
        run.mlflow = _mlflow_facts(run.folder)
        on_change(run)


def _settle(run: LocalRun) -> None:
    """Nothing runs any more: what waited is skipped, what ran has failed."""
    if run.state == "running":
        run.state = "failed"
    for step in run.steps.values():
        step.state = "skipped" if step.state == "waiting" else "failed" if step.state == "running" else step.state
    run.mlflow = _mlflow_facts(run.folder)


def _left_undone(run: LocalRun, finish: StepCall) -> bool:
    """Whether what is done at the end of a run has not been done: it was interrupted, or kfp itself failed."""
    does_more = {"exit_pipeline", "notifications"} & set(finish.settings)
    never_ran = finish.step in run.steps and run.steps[finish.step].state == "skipped"
    return run.mlflow.get("status") == "RUNNING" or bool(does_more and never_ran)


def _finish(
    run: LocalRun, project: Path, finish: StepCall, values: Mapping[str, Any], environ: Mapping[str, str]
) -> None:
    """Do what the exit task would have done."""
    state = "CANCELED" if run.state == "interrupted" else "FAILED"
    folder = run.folder / worker.ARTIFACTS / task_name(finish.step)
    volume = run.folder / worker.VOLUME
    message = {
        "inputs": {"parameterValues": {**values, JOB_ID_INPUT: run.run_id, STATUS_INPUT: {"state": state}}},
        "outputs": {
            "artifacts": {c.name: {"artifacts": [{"uri": str(folder / c.name)}]} for c in finish.outputs},
            "outputFile": str(folder / "executor_output.json"),
        },
    }
    argv = finish.to_argv()
    argv[0], argv[-1] = sys.executable, json.dumps(message)
    (run.folder / "logs").mkdir(exist_ok=True)
    with (run.folder / "logs" / f"{task_name(finish.step)}.log").open("a", encoding="utf-8") as log:
        subprocess.run(
            argv,
            cwd=project,
            env={**os.environ, **environ, LOCAL_ENV: str(run.folder), VOLUME_ENV: str(volume)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            check=False,
        )
    run.mlflow = _mlflow_facts(run.folder)


def _mlflow_facts(folder: Path) -> dict[str, str]:
    file = folder / "mlflow.json"
    return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}
