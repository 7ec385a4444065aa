"""What the log of a step's pod tells: its last words, and how it ended. Logs are there when the API has lost track."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from kedro_kubeflow.contract import EXIT_DONE
from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.targets.kubeflow.logs import Logs, last_words
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
from kedro_kubeflow.targets.kubeflow.steps import PodStep
from kedro_kubeflow.targets.kubeflow.told import Report, Told

MOST = 30
"""Logs that are read for one answer."""
# What KFP's launcher says at its end (backend/src/v2/component/launcher_v2.go and cmd/launcher-v2/main.go there).
_PUBLISHED = re.compile(r"^I\d{4} .*launcher_v2\.go:\d+\] publish success\.", re.MULTILINE)
_FATAL = re.compile(r"^F\d{4} .*\.go:\d+\] (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class LogsOfPods:
    """The logs that a server gives."""

    logs: Logs

    def of(self, run: KubeflowRun, known: Report) -> Report:
        """What the logs tell of the steps of which nothing else is known.

        Args:
            known: what others have told.
        """
        asked = [step for step in run.steps if _is_open(run, step, known.steps.get(step.display_name))]
        # What was under way when the server lost track is the likeliest to have something to tell.
        asked.sort(key=lambda step: step.state == "WAITING")
        return Report(steps=dict(self._told(run, asked[:MOST])))

    def _told(self, run: KubeflowRun, steps: list[PodStep]) -> Iterator[tuple[str, Told]]:
        for step in steps:
            begun = step if step.begun else replace(step, state="RUNNING")
            try:
                text = self.logs.of(run, begun)
            except KedroKubeflowError:
                # No log: nothing is told of this step, and its state says so.
                continue
            told = told_in(text) or (None if run.ended else Told(state="RUNNING"))
            if told is not None:
                yield step.display_name, told


def told_in(text: str) -> Told | None:
    """How a step ended, by its log; None where that does not say so."""
    words, fatal = last_words(text), _FATAL.search(text)
    if EXIT_DONE in text:
        return Told(state="FAILED", words=EXIT_DONE)
    if words or fatal:
        return Told(state="FAILED", words=words or (fatal.group(1).strip() if fatal else None))
    return Told(state="SUCCEEDED") if _PUBLISHED.search(text) else None


def _is_open(run: KubeflowRun, step: PodStep, told: Told | None) -> bool:
    if step.state == "FAILED":
        return not step.error and not (told and told.words)
    if step.finished or told is not None:
        return False
    return run.behind or (run.ended and not run.told_whole and not (run.succeeded and not step.at_exit))
