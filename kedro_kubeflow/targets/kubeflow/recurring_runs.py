"""Recurring runs: what a schedule is on the server."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.targets.base.schedule import Schedule, Trigger
from kedro_kubeflow.targets.kubeflow import charset, facts
from kedro_kubeflow.targets.kubeflow.experiments import Experiment
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN, Fate, fate_of, is_missing
from kedro_kubeflow.targets.kubeflow.refusals import words_of
from kedro_kubeflow.targets.kubeflow.runs import foreign_text
from kedro_kubeflow.targets.kubeflow.server import LOOKS, Server, every, submitted

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RecurringRunRequest:
    """A recurring run to make.

    Attributes:
        key: by which ours are known again, whatever their name.
        trigger: its cron expression has six fields.
        version_id: None lets the server take the newest version at each start.
        namespace: where the experiment is, if not in the namespace that we work in.
    """

    key: str
    name: str
    experiment: Experiment
    pipeline_id: str
    version_id: str | None
    trigger: Trigger
    parameters: Mapping[str, Any] = field(default_factory=dict)
    max_concurrency: int = 1
    catchup: bool = True
    enabled: bool = True
    service_account: str | None = None
    description: str = ""
    namespace: str | None = None


@dataclass(frozen=True, kw_only=True)
class RecurringRun(Schedule):
    """A recurring run as the server has it."""

    experiment_id: str
    pipeline_id: str | None
    version_id: str | None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    max_concurrency: int = 1
    catchup: bool = True
    service_account: str | None = None

    def details(self) -> dict[str, Any]:
        """What it runs, by the server's ids, and how often at once."""
        return {
            "max_concurrency": self.max_concurrency,
            "catchup": self.catchup,
            "pipeline_id": self.pipeline_id,
            "version_id": self.version_id,
            "experiment_id": self.experiment_id,
            "parameters": dict(self.parameters),
        }


@dataclass(frozen=True)
class RecurringRuns:
    """The server's recurring runs."""

    server: Server

    def list(self, namespace: str | None = None) -> Iterator[RecurringRun]:
        """All of a namespace, the latest first."""
        with self.server.errors("list the schedules"):
            call = self.server.recurring_runs.recurring_run_service_list_recurring_runs
            place = namespace or self.server.namespace
            for entry in every(call, "recurring_runs", sort_by="created_at desc", namespace=place):
                yield recurring_run_of(entry)

    def create(self, request: RecurringRunRequest) -> RecurringRun:
        """Make one, once: a request whose fate is unknown is looked for, not sent again.

        Raises:
            AuthError, ServerError: none was made; or it is not known whether, and then the error says so.
        """
        mark = str(uuid.uuid4())
        with self.server.errors(f"make the schedule {request.name!r}"):
            try:
                entry = self.server.recurring_runs.recurring_run_service_create_recurring_run(_body(request, mark))
            except FOREIGN as error:
                if fate_of(error) is not Fate.UNKNOWN:
                    raise
                log.warning("Looking whether the schedule is there all the same: %s", words_of(error))
                entry = self._look_for(request, mark)
                if entry is None and charset.is_refusal(words_of(error)):
                    raise self._foreign_text(request, error) from error
                if entry is None:
                    raise self._uncertain(request, mark, error) from error
        return recurring_run_of(entry)

    def delete(self, recurring_run_id: str) -> None:
        """Delete one; that it is gone already is no error."""
        with self.server.errors(f"delete the schedule {recurring_run_id!r}"):
            self._done(self.server.recurring_runs.recurring_run_service_delete_recurring_run, recurring_run_id)

    def disable(self, recurring_run_id: str) -> None:
        """Let one start nothing more; doing it twice does no harm."""
        with self.server.errors(f"switch off the schedule {recurring_run_id!r}"):
            self._done(self.server.recurring_runs.recurring_run_service_disable_recurring_run, recurring_run_id)

    def _done(self, call: Callable[[str], Any], recurring_run_id: str) -> None:
        """Have something done that may be asked for twice, and that is done where the schedule is gone."""
        for attempt in range(3):
            try:
                call(recurring_run_id)
                return
            except FOREIGN as error:
                if is_missing(error):
                    return
                if fate_of(error) is not Fate.UNKNOWN or attempt == 2:
                    raise
            self.server.pause(attempt)

    def _look_for(self, request: RecurringRunRequest, mark: str) -> Any:
        call = self.server.recurring_runs.recurring_run_service_list_recurring_runs
        return submitted(self.server, call, "recurring_runs", request.name, request.experiment.id, mark)

    def _foreign_text(self, request: RecurringRunRequest, error: BaseException) -> ServerError:
        suspects = [f"the parameter {name!r}" for name in charset.beyond_latin(**request.parameters)]
        suspects += [f"the name {request.name!r}"] if charset.beyond_latin(name=request.name) else []
        return foreign_text(self.server, "schedule", suspects, error)

    def _uncertain(self, request: RecurringRunRequest, mark: str, error: BaseException) -> ServerError:
        return ServerError(
            f"It is not known whether the schedule {request.name!r} was made: {words_of(error)}; and none has "
            f"appeared in {sum(LOOKS):.0f} seconds. It was not sent a second time, and no other schedule was deleted",
            where=self.server.address.host,
            cure=f"look with `kedro kubeflow schedule --list` (submission {mark}), then schedule again",
        )


def _body(request: RecurringRunRequest, mark: str) -> dict[str, Any]:
    version = {"pipeline_version_id": request.version_id} if request.version_id else {}
    body = {
        "display_name": request.name,
        "description": facts.describe(request.description, {facts.SCHEDULE: request.key, facts.SUBMISSION: mark}),
        "experiment_id": request.experiment.id,
        "pipeline_version_reference": {"pipeline_id": request.pipeline_id, **version},
        "runtime_config": {"parameters": dict(request.parameters)},
        "trigger": _trigger_body(request.trigger),
        "max_concurrency": str(request.max_concurrency),
        "no_catchup": not request.catchup,
        "mode": "ENABLE" if request.enabled else "DISABLE",
        "service_account": request.service_account,
    }
    return {key: value for key, value in body.items() if value is not None}


def _trigger_body(trigger: Trigger) -> dict[str, Any]:
    times = {"start_time": trigger.start_time, "end_time": trigger.end_time}
    window = {key: value.isoformat() for key, value in times.items() if value}
    if trigger.cron:
        return {"cron_schedule": {"cron": trigger.cron, **window}}
    return {"periodic_schedule": {"interval_second": str(trigger.interval), **window}}


def recurring_run_of(entry: Any) -> RecurringRun:
    """Our value of the generated client's."""
    reference = entry.pipeline_version_reference
    return RecurringRun(
        id=entry.recurring_run_id,
        name=entry.display_name or entry.recurring_run_id,
        key=facts.fact(entry.description, facts.SCHEDULE),
        experiment_id=entry.experiment_id or "",
        pipeline_id=reference.pipeline_id if reference else None,
        version_id=(reference.pipeline_version_id or None) if reference else None,
        trigger=_trigger_of(entry.trigger),
        parameters=(entry.runtime_config and entry.runtime_config.parameters) or {},
        max_concurrency=int(entry.max_concurrency or 1),
        catchup=not entry.no_catchup,
        enabled=entry.status != "DISABLED" if entry.status else entry.mode != "DISABLE",
        service_account=entry.service_account or None,
        created_at=entry.created_at,
    )


def _trigger_of(trigger: Any) -> Trigger:
    cron, periodic = (trigger and trigger.cron_schedule), (trigger and trigger.periodic_schedule)
    when = cron or periodic
    return Trigger(
        cron=cron.cron if cron else None,
        interval=int(periodic.interval_second) if periodic and periodic.interval_second else None,
        start_time=when.start_time if when else None,
        end_time=when.end_time if when else None,
    )
