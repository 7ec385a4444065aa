"""Waiting for a run: through restarts of its server, to any of its ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from kedro_kubeflow.errors import KedroKubeflowError, ServerError, WaitTimeout
from kedro_kubeflow.targets.base.run import Run

log = logging.getLogger(__name__)

_LONG_AGO = timedelta(minutes=2)
_WHILE_SETTLING = 2.0
"""Seconds between two looks at a run that has ended, at most."""


class ServerAway(ServerError):
    """The server cannot be asked now; the same question may be answered in a moment."""

    @classmethod
    def of(cls, error: KedroKubeflowError) -> ServerAway:
        """The same as another error says."""
        return cls(error.what, where=error.where, cure=error.cure)


class Look:
    """Looks at one run again and again; a target may keep here what does not change from look to look."""

    def __init__(self, get: Callable[[], Run]) -> None:
        self._get = get

    def now(self) -> Run:
        """The run as it is now.

        Raises:
            ServerAway: it may be asked for again.
            AuthError, ServerError: it can no longer be watched.
        """
        return self._get()

    def last(self, run: Run) -> Run:
        """The last look at a run that has ended, made whole: nothing more will be told of its steps."""
        return run


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often, and how long; in seconds.

    Attributes:
        first: before the second look; each further pause is longer by half, up to the interval.
        interval: between two looks.
        timeout: until waiting ends, None for no end.
        outage: for which the server may be away.
        settle: for which steps' states may be behind the state of a run that has just ended.
    """

    first: float = 0.2
    interval: float = 5.0
    timeout: float | None = None
    outage: float = 600.0
    settle: float = 20.0


@dataclass
class Waiting:
    """One wait for one run.

    Attributes:
        where: what opens the run, for messages.
        cure: what to do after a timeout.
    """

    look: Look
    pace: Pace
    where: str
    cure: str
    noun: str = "run"
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def looks(self) -> Iterator[Run]:
        """The run as it is each time that it is looked at; the last one has ended, and so have its steps.

        Raises:
            WaitTimeout: it did not end in time. It goes on.
            AuthError: the credentials are no longer accepted. The run goes on.
            ServerError: the server was away for too long, or the run is gone.
        """
        start = seen = self.clock()
        state, ended, settled, pause = "PENDING", False, 0.0, min(self.pace.first, self.pace.interval)
        while True:
            run = self._now(seen)
            if run is not None:
                seen, state, ended = self.clock(), run.state, run.ended
                if ended and (run.settled or settled >= self._settling(run)):
                    yield self.look.last(run)
                    return
                yield run
            if ended:
                pause = min(pause, _WHILE_SETTLING)
                settled += pause
            else:
                self._check_time(start, state, pause)
            self.sleep(pause)
            pause = min(self.pace.interval, pause * 1.5)

    def end(self) -> Run:
        """The run as it is now; if it has just ended, as it is when its steps have ended too.

        Raises:
            AuthError, ServerError
        """
        looks = self.looks()
        run = next(looks)
        while run.ended and not run.settled:
            following = next(looks, None)
            if following is None:
                break
            run = following
        return run

    def _settling(self, run: Run) -> float:
        """Seconds to go on looking after a run's end; a second look is enough where it has ended long ago."""
        ended = run.finished_at
        return 1.0 if ended and abs(datetime.now(timezone.utc) - ended) > _LONG_AGO else self.pace.settle

    def _now(self, seen: float) -> Run | None:
        """The run, or None while the server is away."""
        try:
            return self.look.now()
        except ServerAway:
            away = self.clock() - seen
            if away > self.pace.outage:
                raise
        log.warning("The server has not answered for %.0f s; the %s goes on, still waiting", away, self.noun)
        return None

    def _check_time(self, start: float, state: str, pause: float) -> None:
        timeout = self.pace.timeout
        if timeout is not None and self.clock() - start + pause > timeout:
            raise WaitTimeout(
                f"The {self.noun} has not ended within {timeout:g} seconds; it is {state} and goes on",
                where=self.where,
                cure=self.cure,
            )
