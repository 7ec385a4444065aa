"""The logs of a run's steps while they are written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
from kedro_kubeflow.targets.kubeflow.steps import PodStep

PAUSE = 2.0
"""Seconds between two looks."""


@dataclass
class Following:
    """Follows a run to its end.

    Attributes:
        step: the one that is followed, by its name on the server; all where it is None.
    """

    client: KubeflowClient
    run_id: str
    step: str | None = None
    sleep: Callable[[float], None] = time.sleep
    _read: dict[str, tuple[str, int]] = field(default_factory=dict)
    _closed: set[str] = field(default_factory=set)

    def pieces(self) -> Iterator[tuple[PodStep, str]]:
        """What is written, piece by piece, with the step that writes it.

        A step that is tried again begins anew with its new pod. A server that is away for a moment is asked again.

        Raises:
            AuthError, ServerError: the run cannot be looked at.
        """
        while True:
            run = self.client.runs.get(self.run_id)
            steps = [s for s in run.steps if self.step in (None, s.name) and s.begun and s.name not in self._closed]
            for step in steps:
                yield from self._new(run, step)
            if run.ended or (self.step and self._closed):
                return
            self.sleep(PAUSE)

    def _new(self, run: KubeflowRun, step: PodStep) -> Iterator[tuple[PodStep, str]]:
        pod = (*step.pods, "")[0]
        try:
            text = self.client.logs.of(run, step)
        except KedroKubeflowError:
            # It has only begun, or the pod is gone; what was read stays read.
            text = ""
        before, seen = self._read.get(step.name, (pod, 0))
        seen = seen if before == pod else 0
        if len(text) > seen:
            self._read[step.name] = (pod, len(text))
            yield step, text[seen:]
        if step.finished:
            self._closed.add(step.name)
