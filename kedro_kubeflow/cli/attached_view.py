"""A run that lasts as long as its command, as people see it: live while it runs, and a summary at the end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from kedro_kubeflow.targets.base.run import Run, Step

_STYLES = {"waiting": "dim", "running": "cyan", "succeeded": "green", "failed": "red", "skipped": "yellow"} | {
    "cached": "green"
}
_MARKS = {"waiting": "·", "running": "▸", "succeeded": "✓", "cached": "≡", "failed": "✗", "skipped": "-"}
_TIMED = ("SUCCEEDED", "FAILED")
_DONE = ("SUCCEEDED", "CACHED")
_TAIL_LINES = 25


class AttachedView:
    """Shows each change of a run: a live table on a terminal, a line a change elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._said: dict[str, str] = {}
        self._since: dict[str, float] = {}
        self._run: Run | None = None

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Keep the live table while the block runs."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self._table, console=self._console, refresh_per_second=8, transient=True) as live:
            self._live = live
            yield

    def changed(self, run: Run) -> None:
        """Take note of a change."""
        self._run = run
        for step in run.steps:
            if self._said.get(step.name, "WAITING") != step.state:
                self._said[step.name] = step.state
                self._since[step.name] = time.monotonic()
                if not self._console.is_terminal:
                    self._console.print(_line(step), highlight=False)

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 1))
        for step in self._run.steps if self._run else ():
            running = step.state == "RUNNING"
            seconds = time.monotonic() - self._since[step.name] if running else step.seconds
            mark = Spinner("dots", style="cyan") if running else _mark(step)
            table.add_row(mark, step.display_name, f"{seconds:.1f} s" if running or step.state in _TIMED else "")
        return table


def print_summary(run: Run, console: Console, advice: Sequence[str] = ()) -> None:
    """What became of each step, where the data lies, which MLflow run it was, how long it took.

    Args:
        advice: what would save time.
    """
    table = Table(title=None, box=None, padding=(0, 1))
    for column in ("", "Step", "State", "Time"):
        table.add_column(column, justify="right" if column == "Time" else "left")
    for step in run.steps:
        shown, word = f"{step.seconds:.1f} s" if step.seconds else "", step.state.lower()
        table.add_row(_mark(step), step.display_name, Text(word, _STYLES.get(word, "")), shown)
    console.print(table)
    _print_outputs(run, console)
    _print_mlflow(run, console)
    for step in run.failed_steps:
        print_log_tail(f"The step {step.display_name!r} failed.", step.log, console)
    if run.state == "FAILED" and not run.failed_steps:
        print_log_tail("kfp ended before any step did.", run.log, console)
    _print_verdict(run, console, advice)


def print_log_tail(title: str, log: Path | None, console: Console) -> None:
    """The last lines of a log, under a title."""
    console.print()
    console.print(Text(f"{title} The end of its log:", "bold red"))
    if log and log.exists():
        lines = log.read_text("utf-8", errors="replace").splitlines()
        for line in lines[-_TAIL_LINES:]:
            console.out(f"  {line}", highlight=False)
        console.out(f"The whole log: {_short(log)}", highlight=False)


def _print_outputs(run: Run, console: Console) -> None:
    outputs = [(name, path) for s in run.steps if s.state in _DONE for name, path in s.outputs.items()]
    if not outputs:
        return
    folder = Path(os.path.commonpath([Path(path).parent for _, path in outputs]))
    console.print()
    console.print(Text("Artifacts", "bold"), end="")
    # Plain text: a path must be copied whole, and not be folded.
    console.out(f" in {_short(folder)}", highlight=False)
    for name, path in outputs:
        console.out(f"  {name}: {Path(path).relative_to(folder)}", highlight=False)


def _print_mlflow(run: Run, console: Console) -> None:
    if not run.mlflow:
        return
    uri = run.mlflow.get("tracking_uri", "")
    console.print()
    console.print(Text("MLflow run", "bold"))
    console.out(f"  id:     {run.mlflow.get('run_id')}\n  status: {run.mlflow.get('status')}", highlight=False)
    if uri.startswith(("http://", "https://")):
        link = f"{uri.rstrip('/')}/#/experiments/{run.mlflow.get('experiment_id')}/runs/{run.mlflow.get('run_id')}"
        console.out(f"  open:   {link}", highlight=False)
    else:
        console.out(f"  open:   mlflow ui --backend-store-uri {uri}", highlight=False)


def _print_verdict(run: Run, console: Console, advice: Sequence[str]) -> None:
    console.print()
    verdict = {
        "SUCCEEDED": ("The run succeeded.", "bold green"),
        "FAILED": ("The run failed.", "bold red"),
        "CANCELED": ("The run was interrupted; no process of it is left.", "bold yellow"),
    }.get(run.state, (run.state, ""))
    console.print(Text(*verdict))
    if run.folder:
        console.out(f"Everything of it lies in {_short(run.folder)}", highlight=False)
    if run.created_at and run.finished_at:
        seconds = (run.finished_at - run.created_at).total_seconds()
        console.out("\n".join([f"It took {seconds:.1f} s.", *advice]), highlight=False)


def summary_json(run: Run) -> dict[str, Any]:
    """The same for programs."""
    return {
        "run_id": run.id,
        "state": "CANCELED" if run.canceled else run.state,
        "folder": str(run.folder),
        "mlflow": dict(run.mlflow),
        "steps": [
            {
                "step": step.display_name,
                "state": step.state,
                "seconds": round(step.seconds or 0.0, 3),
                "outputs": dict(step.outputs),
                "log": str(step.log),
            }
            for step in run.steps
        ],
    }


def _mark(step: Step) -> Text:
    word = step.state.lower()
    return Text(_MARKS.get(word, ""), _STYLES.get(word, ""))


def _line(step: Step) -> str:
    took = f" ({step.seconds:.1f} s)" if step.state in _TIMED else ""
    return f"{step.display_name}: {step.state.lower()}{took}"


def _short(path: Path) -> str:
    """A path as people would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def stderr_console() -> Console:
    """Progress goes to standard error; standard output is for what a command gives."""
    return Console(file=sys.stderr, soft_wrap=True)
