"""A run and its steps, as every target tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args

from kedro_kubeflow.errors import ServerError, did_you_mean

State = Literal[
    "WAITING",
    "PENDING",
    "QUEUED",
    "RUNNING",
    "PAUSED",
    "CANCELING",
    "SUCCEEDED",
    "CACHED",
    "SKIPPED",
    "FAILED",
    "CANCELED",
    "UNKNOWN",
]
"""The state of a run or a step: KFP's runtime states
(https://www.kubeflow.org/docs/components/pipelines/reference/api/kubeflow-pipeline-api-spec/), and ours: ``WAITING`` for steps
that have not begun, ``CACHED`` for those whose results were there, ``UNKNOWN`` where nobody can tell."""
STATES: frozenset[str] = frozenset(get_args(State))
ENDED: frozenset[State] = frozenset({"SUCCEEDED", "CACHED", "SKIPPED", "FAILED", "CANCELED"})
"""Nothing follows any more, unless somebody retries the run."""
_OTHER_WORDS: Mapping[str, State] = {
    "ERROR": "FAILED",
    "CANCEL_PENDING": "CANCELING",
    "CANCELLING": "CANCELING",
    "CANCELLED": "CANCELED",
    "NOT_TRIGGERED": "SKIPPED",
}


def state_of(word: str | None, unsaid: State) -> State:
    """The state behind a server's word for it.

    Args:
        unsaid: the state where the server says nothing, or that it is not specified.

    >>> state_of("CANCELLED", "PENDING"), state_of("RUNTIME_STATE_UNSPECIFIED", "WAITING"), state_of("new", "PENDING")
    ('CANCELED', 'WAITING', 'UNKNOWN')
    """
    if not word or word.endswith("UNSPECIFIED"):
        return unsaid
    if word in STATES:
        return cast("State", word)
    return _OTHER_WORDS.get(word, "UNKNOWN")


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a run.

    Attributes:
        name: its task's name on the target.
        display_name: what people call it: the name of its node or group.
        error: what went wrong, where that is known.
        reason: why it is in its state where that is no error, as for a step whose pod does not start.
        turn_at: when its turn came, where it began later: on Kubeflow another pod goes before that of a step.
        seconds: how long it has taken, where the target measures that itself.
        log: the file of its log, where that lies on this machine.
        outputs: dataset → where its artifact lies.
        at_exit: whether it runs at the end, whatever became of the others.
    """

    name: str
    display_name: str
    state: State
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    reason: str | None = None
    turn_at: datetime | None = None
    seconds: float | None = None
    log: Path | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    at_exit: bool = False

    def details(self) -> dict[str, Any]:
        """What this target alone knows of it, for programs."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run as its target has it.

    Attributes:
        created_at, finished_at: in UTC; None where it is not known, or not yet.
        steps: in an order in which they can run; empty in a list of runs.
        error: what went wrong with it as a whole.
        reason: why it is in its state where that is no error, as for one that waits to begin.
        canceled: whether somebody ended it. Some servers call such a run FAILED in the end.
        parameters: its inputs by KFP name.
        experiment: the name of the experiment that it is filed under, where that is known.
        mlflow: what is known of its MLflow run: ``run_id``, ``experiment_id``, ``tracking_uri``, ``status``.
        mlflow_silence: why its MLflow server could not be asked, where it was to be.
        folder: what holds all of it, where that is on this machine.
        log: the file of what was written beside its steps, where there is one on this machine.
    """

    id: str
    name: str
    state: State
    created_at: datetime | None = None
    finished_at: datetime | None = None
    steps: tuple[Step, ...] = ()
    error: str | None = None
    reason: str | None = None
    canceled: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    experiment: str | None = None
    mlflow: Mapping[str, str] = field(default_factory=dict)
    mlflow_silence: str | None = None
    folder: Path | None = None
    log: Path | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it any more, unless somebody retries it."""
        return self.state in ENDED

    @property
    def settled(self) -> bool:
        """Whether it has ended and the states of its steps are final too: some targets tell of the run first."""
        return self.ended

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.state == "SUCCEEDED"

    @property
    def mlflow_status(self) -> str:
        """The status that its MLflow run must have, once it has ended."""
        if self.succeeded:
            return "FINISHED"
        return "KILLED" if self.canceled or self.state == "CANCELED" else "FAILED"

    @property
    def exit_task(self) -> Step | None:
        """The task at its end, where it has one."""
        return next((step for step in self.steps if step.at_exit), None)

    @property
    def failed_steps(self) -> tuple[Step, ...]:
        """The steps that failed."""
        return tuple(step for step in self.steps if step.state == "FAILED")

    def details(self) -> dict[str, Any]:
        """What this target alone knows of it, for programs."""
        return {}


def find_step(run: Run, name: str) -> Step:
    """A step by its name on the target or in Kedro.

    Raises:
        ServerError: the run has none.
    """
    for step in run.steps:
        if name in (step.name, step.display_name):
            return step
    raise ServerError(f"The run has no step {name!r}. {did_you_mean(name, (s.display_name for s in run.steps))}")
