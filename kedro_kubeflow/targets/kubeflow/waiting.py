"""Waiting for a run: through restarts of the server, to any of its ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from kedro_kubeflow.errors import ServerError, WaitTimeout
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN, is_missing, passes
from kedro_kubeflow.targets.kubeflow.runs import Run, Runs, run_of
from kedro_kubeflow.targets.kubeflow.steps import StepName

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


@dataclass
class Waiting:
    """One wait for one run."""

    runs: Runs
    run_id: str
    pace: Pace
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def looks(self) -> Iterator[Run]:
        """The run as it is each time that it is looked at; the last one has ended.

        Raises:
            WaitTimeout: it did not end in time. It goes on.
            AuthError: the credentials are no longer accepted. The run goes on.
            ServerError: the server was away for too long, or the run is gone.
        """
        start = seen = self.clock()
        names: tuple[StepName, ...] = ()
        state, pause = "PENDING", min(_FIRST, self.pace.interval)
        while True:
            entry = self._look(seen)
            if entry is not None:
                seen = self.clock()
                names = names or self.runs.step_names(entry)
                run = run_of(entry, names)
                state = run.state
                yield run
                if run.ended:
                    return
            self._check_time(start, state, pause)
            self.sleep(pause)
            pause = min(self.pace.interval, pause * 1.5)

    def _look(self, seen: float) -> Any:
        """The run, or None while the server is away."""
        server = self.runs.server
        with server.errors(f"look at the run {self.run_id!r}, which goes on"):
            try:
                return server.runs.run_service_get_run(self.run_id)
            except (ServerError, *FOREIGN) as error:
                if is_missing(error):
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
