"""Looks at a run: what the API tells, and what others know where it may be behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, cast

from kedro_kubeflow.auth.kubeflow.refusal import FrontRefusal
from kedro_kubeflow.errors import KedroKubeflowError, ServerError
from kedro_kubeflow.targets.base.run import Run
from kedro_kubeflow.targets.base.waiting import Look, ServerAway
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN, is_missing, passes
from kedro_kubeflow.targets.kubeflow.pending import PendingWatch
from kedro_kubeflow.targets.kubeflow.refusals import translated
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun, Runs, run_of
from kedro_kubeflow.targets.kubeflow.steps import Asked
from kedro_kubeflow.targets.kubeflow.told import Report, is_open, judged

_ASKED_AGAIN = 60.0
"""Seconds between two questions to others about a run that goes on."""


class RunLook(Look):
    """Looks at one run; its pipeline's steps are asked for once."""

    def __init__(
        self,
        runs: Runs,
        run_id: str,
        ask: Callable[[KubeflowRun, bool], Report],
        pending: PendingWatch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runs, self._run_id, self._ask, self._pending, self._clock = runs, run_id, ask, pending, clock
        self._asked, self._seen = Asked(), False
        self._report: tuple[float, Report] | None = None

    def now(self) -> KubeflowRun:
        """The run as the API tells it; where it may be behind, with what others know; and with the reasons of pods that wait."""
        entry = self._entry()
        self._seen = True
        self._asked = self._asked if self._asked.steps else self._runs.asked(entry)
        run = run_of(entry, self._asked)
        return self._pending.seen(self._with_others(run) if run.behind else run, self._clock())

    def last(self, run: Run) -> KubeflowRun:
        """What the API leaves open is asked of others."""
        ended = cast("KubeflowRun", run)
        # Where no step has begun, nobody else has anything to tell.
        asked = is_open(ended) and not ended.never_opened
        return self._pending.pods.unopened(judged(ended, self._ask(ended, True) if asked else Report()))

    def _with_others(self, run: KubeflowRun) -> KubeflowRun:
        if self._report is None or self._clock() - self._report[0] >= _ASKED_AGAIN:
            # Logs are long: they are read at the first look, as for `status`, and not again and again.
            self._report = (self._clock(), self._ask(run, self._report is None))
        return judged(run, self._report[1])

    def _entry(self) -> Any:
        server, doing = self._runs.server, f"look at the run {self._run_id!r}, which goes on"
        with server.errors(doing):
            try:
                return server.runs.run_service_get_run(self._run_id)
            except (ServerError, FrontRefusal, *FOREIGN) as error:
                if is_missing(error) and self._seen:
                    raise ServerError(
                        "The run is no longer there: somebody deleted it", where=server.address.run_link(self._run_id)
                    ) from error
                if not passes(error):
                    raise
                known = error if isinstance(error, KedroKubeflowError) else translated(error, server.address, doing)
                raise ServerAway.of(known) from error
