"""What is written down of a run on this machine, so that other commands can tell of it: ``run.json`` in the run's folder."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.targets.base.run import Run, State, Step
from kedro_kubeflow.targets.local.history import is_running

if TYPE_CHECKING:
    from kedro_kubeflow.targets.local.run import LocalRun, StepProgress

FILE, TERMINATE = "run.json", "terminate"
"""In the run's folder: what is known of the run, and the word that it is to end."""
TIMES = "times"
"""What steps say of their own times; the runtime writes it."""
_LOOK_SECONDS = 0.3
_STATES: dict[str, State] = {"interrupted": "CANCELED", "running": "RUNNING", "waiting": "WAITING"}


class Recorder:
    """Writes down each change of one run."""

    def __init__(self, name: str, pipeline: str, tags: Mapping[str, str]) -> None:
        self._name, self._pipeline, self._tags = name, pipeline, dict(tags)
        self._created = datetime.now(timezone.utc)
        self._times: dict[str, list[str | None]] = {}

    def changed(self, run: LocalRun) -> Run:
        """Write the run down as it is now, whole or not at all; and the run as the seam has it."""
        now = datetime.now(timezone.utc).isoformat()
        for step in run.steps.values():
            if step.state == "running":
                self._times.setdefault(step.step, [now, None])
            elif step.step in self._times and self._times[step.step][1] is None:
                self._times[step.step][1] = now
        facts = {
            "name": self._name,
            "pipeline": self._pipeline,
            "tags": self._tags,
            "state": _STATES.get(run.state, run.state.upper()),
            "created_at": self._created.isoformat(),
            "finished_at": None if run.state == "running" else now,
            "mlflow": run.mlflow,
            "steps": [self._step(step) for step in run.steps.values()],
        }
        temporary = run.folder / f"{FILE}.new"
        temporary.write_text(json.dumps(facts, indent=1), "utf-8")
        temporary.replace(run.folder / FILE)
        return _run(run.folder, facts)

    def _step(self, step: StepProgress) -> dict[str, Any]:
        begun, ended = self._times.get(step.step, (None, None))
        return {
            "step": step.step,
            "state": _STATES.get(step.state, step.state.upper()),
            "started_at": begun,
            "finished_at": ended,
            "seconds": step.seconds,
            "log": str(step.log) if step.log else None,
            "outputs": step.outputs,
        }


def read_run(folder: Path) -> Run:
    """A run as it was last written down; one whose command is gone without a word has failed."""
    try:
        facts = json.loads((folder / FILE).read_text("utf-8"))
    except FileNotFoundError:
        # Made by an earlier version, or just now.
        return Run(
            id=folder.name, name=folder.name, state="RUNNING" if is_running(folder) else "UNKNOWN", folder=folder
        )
    if facts["state"] == "RUNNING" and not is_running(folder):
        facts = json.loads((folder / FILE).read_text("utf-8"))
    run = _run(folder, facts)
    return _abandoned(run) if run.state == "RUNNING" and not is_running(folder) else run


def times_of(folder: Path, run: Run) -> dict[str, dict[str, Any]]:
    """When the steps did what, by display name, of those that have left it."""
    files = {step.display_name: folder / TIMES / f"{step.name}.json" for step in run.steps}
    return {name: json.loads(file.read_text("utf-8")) for name, file in files.items() if file.exists()}


def read_spec(folder: Path) -> dict[str, Any]:
    """The pipeline that a run is one of, as KFP's IR.

    Raises:
        ServerError: it is not there: the run had not begun.
    """
    import yaml

    file = folder / "pipeline.yaml"
    if not file.is_file():
        raise ServerError("The run had not begun when its command was ended", where=str(folder))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return dict(next(iter(yaml.load_all(file.read_text("utf-8"), Loader=loader))))


def pipeline_of(folder: Path) -> str | None:
    """The name of the pipeline that a run is one of."""
    try:
        return str(json.loads((folder / FILE).read_text("utf-8"))["pipeline"])
    except FileNotFoundError:
        return None


def registered_name(folder: Path) -> str | None:
    """The name by which the project registers what a run is one of: its job's, or else its pipeline's."""
    try:
        tags = json.loads((folder / FILE).read_text("utf-8")).get("tags") or {}
    except FileNotFoundError:
        return None
    name: str | None = tags.get("job") or tags.get("pipeline")
    return name


def ask_to_end(folder: Path) -> None:
    """Tell the command that started a run to end it."""
    (folder / TERMINATE).touch()


@contextmanager
def interruptible(folder: Callable[[], Path | None]) -> Iterator[None]:
    """Let the block be interrupted, as by Ctrl-C, by a word in the run's folder; in a process's main thread.

    Args:
        folder: gives the run's folder, once there is one.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGUSR1"):
        yield
        return
    # A signal of its own: Ctrl-C may be switched off, as it is for what a script starts in the background.
    before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(folder, over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        signal.signal(signal.SIGUSR1, before or signal.SIG_DFL)


def _watch(folder: Callable[[], Path | None], over: threading.Event) -> None:
    while not over.wait(_LOOK_SECONDS):
        found = folder()
        if found and (found / TERMINATE).exists():
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
            return


def wait_until_over(folder: Path, seconds: float) -> bool:
    """Whether a run's command is gone within a time."""
    end = time.monotonic() + seconds
    while is_running(folder):
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_SECONDS / 3)
    return True


def _run(folder: Path, facts: dict[str, Any]) -> Run:
    return Run(
        id=folder.name,
        name=facts["name"],
        state=facts["state"],
        created_at=_moment(facts["created_at"]),
        finished_at=_moment(facts["finished_at"]),
        steps=tuple(_step(step) for step in facts["steps"]),
        canceled=facts["state"] == "CANCELED",
        mlflow=facts["mlflow"],
        folder=folder,
        log=folder / "kfp.log",
    )


def _step(facts: dict[str, Any]) -> Step:
    from kedro_kubeflow.names import task_name

    return Step(
        name=task_name(facts["step"]),
        display_name=facts["step"],
        state=facts["state"],
        started_at=_moment(facts["started_at"]),
        finished_at=_moment(facts["finished_at"]),
        seconds=facts["seconds"],
        log=Path(facts["log"]) if facts["log"] else None,
        outputs=facts["outputs"],
    )


def _abandoned(run: Run) -> Run:
    from dataclasses import replace

    ends: dict[State, State] = {"RUNNING": "FAILED", "WAITING": "SKIPPED"}
    steps = tuple(replace(step, state=ends.get(step.state, step.state)) for step in run.steps)
    return replace(run, state="FAILED", error="The command that ran it was killed", steps=steps)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
