"""Waiting for a job: through outages, to any of its ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kedro_kubeflow.errors import WaitTimeout
from kedro_kubeflow.targets.vertexai.jobs import Job, Jobs
from kedro_kubeflow.targets.vertexai.refusals import passes

log = logging.getLogger(__name__)

_FIRST = 0.5
"""Seconds before the second look; each further pause is longer by half, up to the interval."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often, and how long.

    Attributes:
        interval: seconds between two looks; the first ones come faster.
        timeout: seconds until waiting ends, None for no end.
        outage: seconds for which Vertex AI may be away.
    """

    interval: float = 10.0
    timeout: float | None = None
    outage: float = 600.0


@dataclass
class Waiting:
    """One wait for one job."""

    jobs: Jobs
    job_id: str
    pace: Pace
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def looks(self) -> Iterator[Job]:
        """The job as it is each time that it is looked at; the last one has ended.

        Raises:
            WaitTimeout: it did not end in time. It goes on.
            AuthError: the credentials are no longer accepted. The job goes on.
            ServerError: Vertex AI was away for too long, or the job is gone.
        """
        start = seen = self.clock()
        state, pause = "PENDING", min(_FIRST, self.pace.interval)
        while True:
            job = self._look(seen)
            if job is not None:
                seen, state = self.clock(), job.state
                yield job
                if job.ended:
                    return
            self._check_time(start, state, pause)
            self.sleep(pause)
            pause = min(self.pace.interval, pause * 1.5)

    def _look(self, seen: float) -> Job | None:
        """The job, or None while Vertex AI is away."""
        with self.jobs.connection.errors(f"look at the job {self.job_id!r}, which goes on"):
            try:
                return self.jobs.look(self.job_id)
            except Exception as error:
                away = self.clock() - seen
                if not passes(error) or away > self.pace.outage:
                    raise
                log.warning("Vertex AI has not answered for %.0f s; the job goes on, still waiting", away)
        return None

    def _check_time(self, start: float, state: str, pause: float) -> None:
        timeout = self.pace.timeout
        if timeout is not None and self.clock() - start + pause > timeout:
            raise WaitTimeout(
                f"The job has not ended within {timeout:g} seconds; it is {state} and goes on",
                where=self.jobs.connection.config.job_link(self.job_id),
                cure="look at it there, or wait longer with --timeout",
            )
