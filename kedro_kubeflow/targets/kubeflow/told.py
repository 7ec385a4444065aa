"""What others than the API tell of the steps of a run, and what is made of all that is told.

For a run of more than about 23 tasks the API is not to be believed alone: Argo then compresses its node status, and
``task_details`` stay as they were, while the run's own state goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kedro_kubeflow.targets.base.run import State
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
from kedro_kubeflow.targets.kubeflow.steps import PodStep

_NO_DRIVER = "it was never begun: the pod before it, KFP's driver, failed or was lost"
_FROZEN = "the server stopped telling of the run's tasks before they had ended"


@dataclass(frozen=True, kw_only=True)
class Told:
    """What somebody tells of one step.

    Attributes:
        words: its last words, if it failed: what, where and the cure, on lines of their own.
    """

    state: State
    words: str | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """What somebody tells of a run.

    Attributes:
        steps: by title.
        error: of the run as a whole.
        silence: why nothing, or not all, is told.
        times: of steps by title, when they did what: see ``targets.base.timeline``.
        mlflow: its MLflow run: ``run_id``, ``tracking_uri``, ``status``.
        unasked: why MLflow could not be asked.
    """

    steps: Mapping[str, Told] = field(default_factory=dict)
    error: str | None = None
    silence: str | None = None
    times: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    mlflow: Mapping[str, str] = field(default_factory=dict)
    unasked: str | None = None

    def with_more(self, other: Report) -> Report:
        """What another tells besides; of a failed step's last words, the first that are told."""
        steps = dict(self.steps)
        for title, told in other.steps.items():
            mine = steps.get(title)
            steps[title] = told if mine is None else replace(mine, words=mine.words or told.words)
        silence = "; ".join(filter(None, (self.silence, other.silence))) or None
        return replace(self, steps=steps, silence=silence)


def judged(run: KubeflowRun, report: Report) -> KubeflowRun:
    """A run with its steps as they truly are, or UNKNOWN with the reason; never as the API last said, if that is outdated.

    Args:
        run: as the API has it; if it has ended, its tasks have had the time to.
        report: asked for, where the API leaves anything open.
    """
    steps = tuple(_judged(run, step, report.steps.get(step.display_name), report.silence) for step in run.steps)
    error = run.error or (report.error if run.state == "FAILED" else None)
    return replace(run, steps=steps, error=error, mlflow=report.mlflow or run.mlflow, mlflow_silence=report.unasked)


def is_open(run: KubeflowRun) -> bool:
    """Whether anything is left to ask others: a step that failed has last words, one that has not ended a true state."""
    # Without its exit task, what MLflow says of a run is most likely wrong.
    unclosed = run.succeeded and any(step.at_exit and step.state != "SUCCEEDED" for step in run.steps)
    return bool(run.failed_steps) or (run.ended and (not run.told_whole or not run.succeeded)) or run.behind or unclosed


def _judged(run: KubeflowRun, step: PodStep, told: Told | None, silence: str | None) -> PodStep:
    if step.finished:
        words = told.words if told and step.state == "FAILED" else None
        lost = _NO_DRIVER if step.state == "FAILED" and step.driver_failed else None
        return replace(step, error=step.error or words or lost)
    if not run.ended:
        # A step that says of itself that it is further knows better.
        return step if told is None or step.state == told.state else replace(step, state=told.state, error=told.words)
    if told is not None and told.state != "RUNNING":
        return replace(step, state=told.state, error=told.words)
    if run.told_whole:
        return replace(step, state="SKIPPED") if step.state == "WAITING" else step
    if run.succeeded and not step.at_exit:
        # A run succeeds only if each of its tasks does; a task at its end alone may fail in it.
        return replace(step, state="SUCCEEDED")
    reason = "; ".join(filter(None, (_FROZEN, silence)))
    return replace(step, state="UNKNOWN", error=reason)
