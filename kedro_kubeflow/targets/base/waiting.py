"""Waiting for a run: through restarts of its server, to any of its ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kedro_kubeflow.errors import ServerError, WaitTimeout
from kedro_kubeflow.targets.base.run import Run

log = logging.getLogger(__name__)


class ServerAway(ServerError):
    """The server cannot be asked now; the same question may be answered in a moment."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often, and how long; in seconds.

    Attributes:
        first: before the second look; each further pause is longer by half, up to the interval.
        interval: between two looks.
        timeout: until waiting ends, None for no end.
        outage: for which the server may be away.
        settle: for which steps' states may be behind the state of a run that has ended.
    """

    first: float = 0.2
    interval: float = 5.0
    timeout: float | None = None
    outage: float = 600.0
    settle: float = 15.0


@dataclass
class Waiting:
    """One wait for one run.

    Attributes:
        look: gives the run as it is now; raises `ServerAway` where it may be asked again.
        where: what opens the run, for messages.
        cure: what to do after a timeout.
    """

    look: Callable[[], Run]
    pace: Pace
    where: str
    cure: str
    noun: str = "run"
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
        state, pause = "PENDING", min(self.pace.first, self.pace.interval)
        ended: float | None = None
        while True:
            run = self._look(seen)
            if run is not None:
                seen, state = self.clock(), run.state
                yield run
                ended = (seen if ended is None else ended) if run.ended else None
                if run.settled or (ended is not None and seen - ended >= self.pace.settle):
                    return
            self._check_time(start, state, pause, ended=ended is not None)
            self.sleep(pause)
            pause = min(self.pace.interval, pause * 1.5)

    def _look(self, seen: float) -> Run | None:
        """The run, or None while the server is away."""
        try:
            return self.look()
        except ServerAway:
            away = self.clock() - seen
            if away > self.pace.outage:
                raise
        log.warning("The server has not answered for %.0f s; the %s goes on, still waiting", away, self.noun)
        return None

    def _check_time(self, start: float, state: str, pause: float, *, ended: bool) -> None:
        timeout = self.pace.timeout
        if timeout is not None and not ended and self.clock() - start + pause > timeout:
            raise WaitTimeout(
                f"The {self.noun} has not ended within {timeout:g} seconds; it is {state} and goes on",
                where=self.where,
                cure=self.cure,
            )
