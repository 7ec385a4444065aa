"""Waiting for a run: through restarts of the server, to any of its ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from kedro_kubeflow.errors import ServerError, WaitTimeout
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN, is_missing, passes
from kedro_kubeflow.targets.kubeflow.runs import Run, Runs, run_of
from kedro_kubeflow.targets.kubeflow.steps import Asked
from kedro_kubeflow.targets.kubeflow.told import Report, is_open, judged

log = logging.getLogger(__name__)

_FIRST = 0.2
"""Seconds before the second look; each further pause is longer by half, up to the interval."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often, and how long.

    Attributes:
        interval: seconds between two looks; the first ones come faster.
        timeout: seconds until waiting ends, None for no end.
        outage: seconds for which the server may be away.
    """

    interval: float = 5.0
    timeout: float | None = None
    outage: float = 600.0


SETTLING = 20.0
"""Seconds after a run's end in which the server tells the end of its tasks: 15 were enough in what was seen."""
_OLD = timedelta(minutes=2)
_ASKED_AGAIN = 20.0
"""Seconds between two questions to others about a run that goes on."""


def _settling(run: Run) -> float:
    """Seconds to go on looking after a run's end; a second look is enough where it has ended long ago."""
    ended = run.finished_at
    return 1.0 if ended and abs(datetime.now(timezone.utc) - ended) > _OLD else SETTLING


def nobody(_run: Run) -> Report:
    """Nobody else to ask."""
    return Report()


@dataclass
class Waiting:
    """One wait for one run.

    Attributes:
        ask: whoever else may know what became of the steps.
    """

    runs: Runs
    run_id: str
    pace: Pace
    ask: Callable[[Run], Report] = nobody
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _report: tuple[float, Report] | None = None
    _seen: bool = False

    def looks(self) -> Iterator[Run]:
        """The run as it is each time that it is looked at; the last one has ended, and so have its steps.

        Raises:
            WaitTimeout: it did not end in time. It goes on.
            AuthError: the credentials are no longer accepted. The run goes on.
            ServerError: the server was away for too long, or the run is gone.
        """
        start = seen = self.clock()
        asked, state, ended, settled = Asked(), "PENDING", False, 0.0
        pause = min(_FIRST, self.pace.interval)
        while True:
            entry = self._look(seen)
            if entry is not None:
                seen, self._seen = self.clock(), True
                asked = asked if asked.steps else self.runs.asked(entry)
                run = run_of(entry, asked)
                state, ended = run.state, run.ended
                if ended and (run.settled or settled >= _settling(run)):
                    yield judged(run, self.ask(run) if is_open(run) else Report())
                    return
                yield self._so_far(run)
            if ended:
                pause = min(pause, 2.0)
                settled += pause
            else:
                self._check_time(start, state, pause)
            self.sleep(pause)
            pause = min(self.pace.interval, pause * 1.5)

    def end(self) -> Run:
        """The run as it is now; if it has just ended, as it is when its tasks have ended too.

        Raises:
            AuthError, ServerError
        """
        looks = self.looks()
        run = next(looks)
        while run.ended and not run.settled:
            try:
                run = next(looks)
            except StopIteration:
                break
        return run

    def _so_far(self, run: Run) -> Run:
        """A run that goes on, with what others know where the server may be behind."""
        if not run.large:
            return run
        if self._report is None or self.clock() - self._report[0] >= _ASKED_AGAIN:
            self._report = (self.clock(), self.ask(run))
        return judged(run, self._report[1])

    def _look(self, seen: float) -> Any:
        """The run, or None while the server is away."""
        server = self.runs.server
        with server.errors(f"look at the run {self.run_id!r}, which goes on"):
            try:
                return server.runs.run_service_get_run(self.run_id)
            except (ServerError, *FOREIGN) as error:
                if is_missing(error) and self._seen:
                    raise ServerError(
                        "The run is no longer there: somebody deleted it", where=server.address.run_link(self.run_id)
                    ) from error
                away = self.clock() - seen
                if not passes(error) or away > self.pace.outage:
                    raise
        log.warning("The server has not answered for %.0f s; the run goes on, still waiting", away)
        return None

    def _check_time(self, start: float, state: str, pause: float) -> None:
        timeout = self.pace.timeout
        if timeout is not None and self.clock() - start + pause > timeout:
            raise WaitTimeout(
                f"The run has not ended within {timeout:g} seconds; it is {state} and goes on",
                where=self.runs.server.address.run_link(self.run_id),
                cure=f"look at it with `kedro kubeflow status {self.run_id}`, or wait longer with --timeout",
            )
