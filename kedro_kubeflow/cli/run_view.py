"""The progress of a run that goes on by itself: a live table on a terminal, a line a change elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kedro_kubeflow.cli.output import duration

if TYPE_CHECKING:
    from kedro_kubeflow.targets.base.run import Run, Step

_STYLES = {
    "WAITING": "dim",
    "PENDING": "dim",
    "QUEUED": "dim",
    "RUNNING": "cyan",
    "SUCCEEDED": "green",
    "CACHED": "green",
    "SKIPPED": "yellow",
    "FAILED": "bold red",
    "CANCELING": "yellow",
    "CANCELED": "yellow",
}


class RunView:
    """Shows each look at a run."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._run: Run | None = None
        self._said: dict[str, str] = {}

    @contextmanager
    def showing(self) -> Iterator[None]:
        """Keep the live table while the block runs; how it ended is printed after it."""
        if not self._console.is_terminal:
            yield
            return
        with Live(get_renderable=self._table, console=self._console, refresh_per_second=4, transient=True):
            yield

    def show(self, run: Run) -> None:
        """Take note of a look."""
        self._run = run
        if self._console.is_terminal:
            return
        # Names may hold anything: the run's own state goes by the empty one.
        states = {"": _state(run), **{s.display_name: _state(s) for s in run.steps if s.state != "WAITING"}}
        for name, state in states.items():
            if self._said.get(name) != state:
                self._said[name] = state
                self._console.print(f"{name or 'run'}: {state}", markup=False, highlight=False)

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        if self._run is None:
            return table
        for step in self._run.steps:
            time = duration(step.started_at, step.finished_at if step.state != "RUNNING" else None)
            shown = time if step.started_at and step.state not in ("WAITING", "PENDING") else ""
            table.add_row(Text(step.display_name), Text(_state(step), _STYLES.get(step.state, "")), shown)
        state = _state(self._run)
        total = duration(self._run.created_at, self._run.finished_at)
        table.add_row(Text("run", "bold"), Text(state, _STYLES.get(self._run.state, "")), total)
        return table


def _state(of: Step | Run) -> str:
    """The state of a step or a run, with the reason of one that waits."""
    return f"{of.state} ({of.reason})" if of.reason else of.state
