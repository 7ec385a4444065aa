"""Runs: start one exactly once, look at it, wait for it, end it, try it again."""

from __future__ import annotations

import itertools
import logging
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.targets.base.run import ENDED, Run, State, state_of
from kedro_kubeflow.targets.kubeflow import charset, facts
from kedro_kubeflow.targets.kubeflow.experiments import Experiment
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN, Fate, fate_of
from kedro_kubeflow.targets.kubeflow.package import Package, spec_of
from kedro_kubeflow.targets.kubeflow.pipelines import Pipelines, PipelineVersion
from kedro_kubeflow.targets.kubeflow.refusals import words_of
from kedro_kubeflow.targets.kubeflow.server import LOOKS, Server, equals, every, submitted
from kedro_kubeflow.targets.kubeflow.steps import Asked, Details, PodStep, error_text, real_time, steps_of

log = logging.getLogger(__name__)

RUNS_OF_SCHEDULE = 300
"""The latest runs of a schedule that are looked at for one that has not ended; ten at most are under way at once."""
LARGE = 100
"""Tasks that the server tells of, about six a step, from which on Argo may compress what KFP reads them from."""
_QUIET = timedelta(seconds=60)
"""For how long nothing may have happened to any task before the server is thought to be behind: a task takes 20 s at least."""


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """A run to start.

    Attributes:
        source: an uploaded version, or a compiled pipeline that goes along with the run.
        parameters: run-time inputs, by KFP name.
        facts: what stands below the description, a line each.
        plugins_input: for plugins of the server (from 2.17 on); left out where it is empty.
    """

    name: str
    experiment: Experiment
    source: PipelineVersion | Package
    parameters: Mapping[str, Any] = field(default_factory=dict)
    service_account: str | None = None
    description: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    pipeline_root: str | None = None
    plugins_input: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class KubeflowRun(Run):
    """A run; ``CANCELED`` where people have ended it: the server calls that FAILED.

    Attributes:
        told_whole: whether the server has told the end of all that it told the beginning of; a run ends before its tasks do.
        behind: whether the server may no longer learn what becomes of its tasks: there are many, or nothing has been told of
            any for a while.
        begun: whether the server has told of any task.
        never_opened: whether it has failed before any step: its first pod, KFP's driver, could not be made, or failed.
        service_account: of its pods.
        waits_for: the pod that must run before any step can, a driver's, while that waits.
    """

    steps: tuple[PodStep, ...] = ()
    experiment_id: str = ""
    description: str = ""
    pipeline_id: str | None = None
    version_id: str | None = None
    recurring_run_id: str | None = None
    told_whole: bool = True
    behind: bool = False
    begun: bool = True
    never_opened: bool = False
    service_account: str | None = None
    waits_for: str | None = None

    @property
    def settled(self) -> bool:
        """Whether it has ended, and the server has told the end of its tasks too."""
        return self.ended and self.told_whole

    @property
    def failed_steps(self) -> tuple[PodStep, ...]:
        """The steps that failed; the exit task fails along with them, and alone is a failure of its own."""
        failed = tuple(step for step in self.steps if step.state == "FAILED")
        return tuple(step for step in failed if not step.at_exit) or failed

    def details(self) -> dict[str, Any]:
        """What it is a run of, by the server's ids."""
        return {
            "experiment_id": self.experiment_id,
            "pipeline_id": self.pipeline_id,
            "version_id": self.version_id,
            "recurring_run_id": self.recurring_run_id,
        }


@dataclass(frozen=True)
class Runs:
    """The server's runs."""

    server: Server

    def start(self, request: RunRequest) -> KubeflowRun:
        """Start a run, once.

        A request that the server may have carried out, or may still carry out, is not sent again: the run is looked for
        by a mark in its description instead.

        Raises:
            AuthError, ServerError: no run was started; or it is not known whether, and then the error says so.
        """
        mark = str(uuid.uuid4())
        if suspects := charset.beyond_latin(name=request.name, **request.parameters):
            log.info("Characters beyond Latin-1, which not every server's database takes: %s", ", ".join(suspects))
        with self.server.errors(f"start the run {request.name!r}"):
            try:
                entry = self.server.runs.run_service_create_run(_body(request, mark))
            except FOREIGN as error:
                if fate_of(error) is not Fate.UNKNOWN:
                    raise
                log.warning("Looking whether the run has started all the same: %s", words_of(error))
                entry = self._look_for(request, mark)
                if entry is None and charset.is_refusal(words_of(error)):
                    raise self._foreign_text(request, error) from error
                if entry is None:
                    raise self._uncertain(request, mark, error) from error
        return run_of(entry)

    def get(self, run_id: str) -> KubeflowRun:
        """A run with its steps, as far as the server tells of them.

        Raises:
            AuthError, ServerError
        """
        with self.server.errors(f"get the run {run_id!r}"):
            entry = self.server.runs.run_service_get_run(run_id)
        return run_of(entry, self.asked(entry))

    def spec(self, run_id: str) -> Mapping[str, Any]:
        """The pipeline that a run is one of, as KFP's IR.

        Raises:
            AuthError, ServerError: among others, its version was deleted.
        """
        with self.server.errors(f"get the pipeline of the run {run_id!r}"):
            entry = self.server.runs.run_service_get_run(run_id)
            reference = entry.pipeline_version_reference
            found = entry.pipeline_spec
            if not found and reference and reference.pipeline_version_id:
                found = Pipelines(self.server).version(reference.pipeline_id, reference.pipeline_version_id).spec
        whole: Mapping[str, Any] = found or {}
        inner: Mapping[str, Any] = whole.get("pipeline_spec") or whole
        return inner

    def delete(self, run_id: str) -> None:
        """Delete a run that has ended; its artifacts stay.

        Raises:
            AuthError, ServerError
        """
        with self.server.errors(f"delete the run {run_id!r}"):
            self.server.runs.run_service_delete_run(run_id)

    def list(
        self, *, limit: int | None = None, experiment_id: str | None = None, namespace: str | None = None
    ) -> Iterator[KubeflowRun]:
        """Runs of a namespace or an experiment, the latest first, without their steps."""
        with self.server.errors("list the runs"):
            place = None if experiment_id else namespace or self.server.namespace
            found = every(
                self.server.runs.run_service_list_runs,
                "runs",
                sort_by="created_at desc",
                experiment_id=experiment_id,
                namespace=place,
            )
            for entry in itertools.islice(found, limit):
                yield run_of(entry)

    def unfinished_of(self, recurring_run_id: str, experiment_id: str) -> Iterator[KubeflowRun]:
        """The runs of a schedule that have not ended, the latest first, without their steps."""
        with self.server.errors("list the runs of the schedule"):
            found = every(
                self.server.runs.run_service_list_runs,
                "runs",
                sort_by="created_at desc",
                experiment_id=experiment_id,
                filter=equals("recurring_run_id", recurring_run_id),
            )
            for entry in itertools.islice(found, RUNS_OF_SCHEDULE):
                run = run_of(entry)
                if not run.ended:
                    yield run

    def terminate(self, run_id: str) -> None:
        """End a run; one that has ended already stays as it is.

        Raises:
            AuthError, ServerError
        """
        with self.server.errors(f"terminate the run {run_id!r}"):
            for attempt in range(3):
                try:
                    self.server.runs.run_service_terminate_run(run_id)
                    return
                except FOREIGN as error:
                    # Ending twice does no harm; and an answer may be lost, or the run may have ended by itself.
                    now = run_of(self.server.runs.run_service_get_run(run_id))
                    if now.ended or now.state == "CANCELING":
                        return
                    if fate_of(error) is not Fate.UNKNOWN or attempt == 2:
                        raise
                self.server.pause(attempt)

    def retry(self, run_id: str) -> None:
        """Run again what failed of a run.

        Raises:
            AuthError, ServerError: it has not failed, or the server no longer has its workflow.
        """
        with self.server.errors(f"retry the run {run_id!r}"):
            try:
                self.server.runs.run_service_retry_run(run_id)
            except FOREIGN as error:
                if fate_of(error) is not Fate.UNKNOWN or run_of(self.server.runs.run_service_get_run(run_id)).ended:
                    raise

    def asked(self, entry: Any) -> Asked:
        """What a run's pipeline asks for; nothing is known of it where its version is gone."""
        if entry.pipeline_spec:
            return Asked.of(entry.pipeline_spec)
        reference = entry.pipeline_version_reference
        if not (reference and reference.pipeline_id and reference.pipeline_version_id):
            return Asked()
        try:
            version = Pipelines(self.server).version(reference.pipeline_id, reference.pipeline_version_id)
        except ServerError as error:
            log.debug("The steps of the run are guessed: %s", error)
            return Asked()
        return Asked.of(version.spec)

    def _look_for(self, request: RunRequest, mark: str) -> Any:
        call = self.server.runs.run_service_list_runs
        return submitted(self.server, call, "runs", request.name, request.experiment.id, mark)

    def _foreign_text(self, request: RunRequest, error: BaseException) -> ServerError:
        source = request.source
        spec = source.spec if isinstance(source, PipelineVersion) else spec_of(str(source))
        return foreign_text(self.server, "run", charset.in_spec(spec, request.parameters, request.name), error)

    def _uncertain(self, request: RunRequest, mark: str, error: BaseException) -> ServerError:
        return ServerError(
            f"It is not known whether the run {request.name!r} has started: {words_of(error)}; and no such run has "
            f"appeared in {sum(LOOKS):.0f} seconds. It was not sent a second time",
            where=self.server.address.host,
            cure=f"look with `kedro kubeflow runs` for the submission {mark}; start it again if it is not there",
        )


def foreign_text(server: Server, thing: str, suspects: list[str], error: BaseException) -> ServerError:
    """The error for text that the server's database does not take; the server finds out after it has begun."""
    return ServerError(
        f"The server's database does not take the text of the {thing} ({words_of(error)}): "
        f"{', '.join(suspects) or 'which one it does not say'}. The {thing} may have begun all the same, and is in no list",
        where=server.address.host,
        cure="write it in plain letters, or have the database keep utf8mb4; what has begun is found on the cluster: "
        "kubectl get workflows,scheduledworkflows --sort-by=.metadata.creationTimestamp",
    )


def _body(request: RunRequest, mark: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "display_name": request.name,
        "description": facts.describe(request.description, {**request.facts, facts.SUBMISSION: mark}),
        "experiment_id": request.experiment.id,
        "runtime_config": {"parameters": dict(request.parameters)},
        "service_account": request.service_account,
        "plugins_input": dict(request.plugins_input) or None,
        **source_fields(request.source),
    }
    if request.pipeline_root:
        body["runtime_config"]["pipeline_root"] = request.pipeline_root
    return {key: value for key, value in body.items() if value is not None}


def source_fields(source: PipelineVersion | Package) -> dict[str, Any]:
    """What a run is a run of, as the API wants it."""
    if isinstance(source, PipelineVersion):
        return {"pipeline_version_reference": {"pipeline_id": source.pipeline_id, "pipeline_version_id": source.id}}
    return {"pipeline_spec": spec_of(str(source))}


def run_of(entry: Any, asked: Asked | None = None) -> KubeflowRun:
    """Our value of the generated client's."""
    asked = asked or Asked()
    state, reference = _state(entry), entry.pipeline_version_reference
    details = Details((entry.run_details and entry.run_details.task_details) or ())
    ended = state in ENDED
    run = KubeflowRun(
        id=entry.run_id,
        name=entry.display_name or entry.run_id,
        state=state,
        canceled=state == "CANCELED",
        experiment_id=entry.experiment_id or "",
        description=entry.description or "",
        created_at=entry.created_at,
        finished_at=real_time(entry.finished_at) if ended else None,
        pipeline_id=reference.pipeline_id if reference else None,
        version_id=reference.pipeline_version_id if reference else None,
        recurring_run_id=entry.recurring_run_id,
        parameters=(entry.runtime_config and entry.runtime_config.parameters) or {},
        steps=_stopped(steps_of(details, asked.steps), _canceled_at(entry) if state == "CANCELED" else None),
        error=error_text(entry),
        told_whole=not ended or details.tell_the_end(failed=state == "FAILED"),
        behind=not ended and _is_behind(details),
        begun=bool(details.tasks),
        never_opened=ended and details.never_opened,
        service_account=entry.service_account,
        waits_for=None if ended else details.waiting_driver(asked.steps),
    )
    return replace(run, error=run.error or _over_deadline(run, asked.deadline))


def _state(entry: Any) -> State:
    """The server calls a run FAILED that was ended; that somebody did so stands in its history alone."""
    state = state_of(entry.state, "PENDING")
    return "CANCELED" if state == "FAILED" and _canceled_at(entry) else state


def _canceled_at(entry: Any) -> datetime | None:
    """When somebody ended a run, since it was last retried."""
    found = None
    for status in entry.state_history or ():
        if str(status.state) == "CANCELING":
            found = status.update_time
        elif str(status.state) == "RUNNING":
            found = None
    return found


def _stopped(steps: tuple[PodStep, ...], canceled_at: datetime | None) -> tuple[PodStep, ...]:
    """The steps of a run that was ended: what fails from then on was ended with it. The exit task runs after that."""
    if canceled_at is None:
        return steps
    since = canceled_at - timedelta(seconds=1)
    return tuple(
        replace(s, state="CANCELED")
        if s.state == "FAILED" and not s.at_exit and s.finished_at and s.finished_at >= since
        else s
        for s in steps
    )


def _is_behind(details: Details) -> bool:
    if len(details.tasks) >= LARGE:
        return True
    latest = details.latest
    return latest is not None and datetime.now(timezone.utc) - latest > _QUIET


def _over_deadline(run: KubeflowRun, seconds: int | None) -> str | None:
    """Argo fails what still runs at the deadline; the exit task may go on after it."""
    if not seconds or run.state != "FAILED" or run.created_at is None:
        return None
    limit = run.created_at + timedelta(seconds=seconds - 1)
    late = any(step.finished_at and step.finished_at >= limit for step in run.failed_steps)
    return f"The run took longer than its deadline of {seconds} seconds (run_config.deadline)" if late else None
