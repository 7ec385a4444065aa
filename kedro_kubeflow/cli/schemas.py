"""The form of what commands print with ``--output json``.

A command may give more keys than stand here, those of its target alone; what stands here is there on every target, and stays.
Moments are ISO 8601 in UTC. States are in capitals on every target: KFP's runtime states, and ours (WAITING, CACHED, UNKNOWN).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Moment = str

State = Literal[
    "WAITING", "PENDING", "QUEUED", "RUNNING", "PAUSED", "CANCELING", "SUCCEEDED", "CACHED", "SKIPPED", "FAILED", "CANCELED",
    "UNKNOWN",
]  # fmt: skip


@dataclass(frozen=True)
class StepResult:
    """A step of a run: ``name`` is its task's, ``step`` that of its node or group."""

    name: str
    step: str
    state: State
    started_at: Moment | None
    finished_at: Moment | None
    error: str | None
    reason: str | None
    outputs: dict[str, str]
    log: str | None


@dataclass(frozen=True)
class RunSummary:
    """A run in a list."""

    run_id: str
    name: str
    state: State
    canceled: bool
    link: str
    created_at: Moment | None
    finished_at: Moment | None
    parameters: dict[str, Any]
    error: str | None
    reason: str | None
    mlflow: dict[str, str]
    folder: str | None


@dataclass(frozen=True)
class RunResult(RunSummary):
    """A run with its steps; ``mlflow_end`` is what is to be said of its MLflow run, where its exit task has not closed that."""

    mlflow_end: str | None
    steps: list[StepResult]


@dataclass(frozen=True)
class SpanResult:
    """A part of a step's time, in seconds since the run's beginning."""

    phase: Literal["waiting", "starting", "nodes", "ending", "unknown"]
    begin: float
    end: float


@dataclass(frozen=True)
class BarResult:
    """A step's time: ``decisive`` where the run would have ended sooner, had the step; seconds of its ``nodes``."""

    step: str
    spans: list[SpanResult]
    decisive: bool
    nodes: dict[str, float]


@dataclass(frozen=True)
class TimelineResult:
    """How a run spent its time, in seconds: steps that have begun and ended, in the order in which they began."""

    name: str
    seconds: float
    kind: Literal["pods", "processes", "forks"]
    bars: list[BarResult]
    advice: list[str]


@dataclass(frozen=True)
class AttachedStep:
    """A step of a run that lasted as long as its command."""

    step: str
    state: State
    seconds: float
    outputs: dict[str, str]
    log: str


@dataclass(frozen=True)
class AttachedRun:
    """A run that lasted as long as its command, as on this machine."""

    run_id: str
    state: State
    folder: str
    mlflow: dict[str, str]
    steps: list[AttachedStep]


@dataclass(frozen=True)
class PipelineResult:
    """A stored pipeline."""

    pipeline_id: str
    name: str
    display_name: str
    description: str
    created_at: Moment | None
    namespace: str | None
    tags: dict[str, str]
    link: str


@dataclass(frozen=True)
class VersionResult:
    """A version of a stored pipeline (``--versions-of``)."""

    version_id: str
    pipeline_id: str
    name: str
    display_name: str
    created_at: Moment | None
    tags: dict[str, str]
    link: str


@dataclass(frozen=True)
class UploadResult:
    """What an upload did."""

    made: Literal["pipeline", "version", "nothing"]
    pipeline_id: str
    pipeline: str
    version_id: str
    version: str
    digest: str
    link: str


@dataclass(frozen=True)
class ScheduleResult:
    """A schedule (``--list``, ``--delete``)."""

    schedule_id: str
    name: str
    key: str | None
    cron: str | None
    interval: int | None
    start_time: Moment | None
    end_time: Moment | None
    enabled: bool
    created_at: Moment | None
    link: str


@dataclass(frozen=True)
class ScheduleChangeResult:
    """What was done, or would be, for one schedule."""

    action: Literal["create", "replace", "none"]
    key: str
    name: str
    cron: str | None
    interval: int | None
    start_time: Moment | None
    end_time: Moment | None
    enabled: bool
    schedule_id: str | None
    link: str | None
    replaced: list[str]
    left: list[str]


@dataclass(frozen=True)
class FindingResult:
    """One thing to know before a run."""

    id: str
    level: Literal["error", "warning", "info"]
    what: str
    where: str | None
    cure: str | None


@dataclass(frozen=True)
class CheckResult:
    """What `check` found."""

    errors: int
    warnings: int
    findings: list[FindingResult]


@dataclass(frozen=True)
class PlannedStep:
    """A task that would be submitted."""

    order: int
    name: str
    title: str
    nodes: list[str]
    waits_for: list[str]
    image: str
    resources: dict[str, Any]
    retries: dict[str, Any]
    cache: bool
    runner: str
    kubernetes: dict[str, Any]
    parameters: list[str]
    origins: dict[str, str]


@dataclass(frozen=True)
class PlannedParameter:
    """An input of the pipeline."""

    name: str
    type: str
    default: Any


@dataclass(frozen=True)
class WorkflowResult:
    """How large the run will be as Argo keeps it: bytes at its end, and what Argo takes (null where it takes everything)."""

    tasks: int
    bytes: int
    limit: int | None
    steps_that_fit: int
    states_are_told: bool


@dataclass(frozen=True)
class EstimateResult:
    """A grouping: how many steps there are, and seconds that a run takes on a cluster."""

    grouping: str
    steps: int
    seconds: float


@dataclass(frozen=True)
class EstimatesResult:
    """Of the chosen grouping and of those that go by time; how many nodes there are, and how many of them a run has timed."""

    chosen: EstimateResult
    others: list[EstimateResult]
    nodes: int
    timed: int


@dataclass(frozen=True)
class PlanResult:
    """What would be submitted; with ``--resume``, the steps that are taken over, and why each of the others runs."""

    name: str
    display_name: str
    pipeline: str
    env: str | None
    tracking: bool
    steps: list[PlannedStep]
    datasets: list[dict[str, Any]]
    parameters: list[PlannedParameter]
    notes: list[str]
    workflow: WorkflowResult | None
    estimates: EstimatesResult | None
    taken_over: list[str]
    reasons: dict[str, str]


@dataclass(frozen=True)
class LinkResult:
    """The link to the UI, and whether a browser has it."""

    link: str
    opened: bool


@dataclass(frozen=True)
class LoginResult:
    """A person's login."""

    issuer: str
    user: str
    server_user: str | None
    expires_at: Moment | None
    renewed: bool


@dataclass(frozen=True)
class LogoutResult:
    """A login that is over."""

    issuer: str
    was_logged_in: bool


@dataclass(frozen=True)
class ArtifactResult:
    """An artifact of a run: ``size`` in bytes, where its step or its store says it; the earlier run that it is from, if it is."""

    dataset: str
    step: str
    type: str
    size: int | None
    uri: str | None
    taken_over_from: str | None


@dataclass(frozen=True)
class DownloadResult(ArtifactResult):
    """An artifact that was brought (``--download``), and where its data lies now."""

    path: str


@dataclass(frozen=True)
class ImageResult:
    """The image of the steps."""

    image: str
    tag: str
    built: bool


RESULTS: dict[str, Any] = {
    "artifacts": list[DownloadResult] | list[ArtifactResult],
    "check": CheckResult,
    "image": ImageResult,
    "list-pipelines": list[PipelineResult] | list[VersionResult] | list[RunSummary],
    "login": LoginResult,
    "logout": LogoutResult,
    "logs": dict[str, str],
    "plan": PlanResult,
    "retry": RunResult,
    "run-once": RunResult | AttachedRun,
    "runs": list[RunSummary],
    "schedule": list[ScheduleChangeResult] | list[ScheduleResult],
    "status": RunResult,
    "status --timeline": TimelineResult,
    "terminate": RunResult,
    "ui": LinkResult,
    "upload-pipeline": UploadResult,
}
"""Of each command with ``--output json``, and of an option with which it prints something else."""
