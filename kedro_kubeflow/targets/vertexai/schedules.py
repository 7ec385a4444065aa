"""Schedules: Vertex AI starts jobs again and again (https://cloud.google.com/vertex-ai/docs/pipelines/schedule-pipeline-run)."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.targets.base.schedule import Schedule, Trigger
from kedro_kubeflow.targets.vertexai.connection import TIMEOUT, Connection
from kedro_kubeflow.targets.vertexai.jobs import JobRequest, pipeline_job
from kedro_kubeflow.targets.vertexai.names import DIGEST, PIPELINE, SCHEDULE, display_name
from kedro_kubeflow.targets.vertexai.refusals import passes

log = logging.getLogger(__name__)

ENDED = "COMPLETED"
_LOOKS = (1.0, 2.0, 4.0)
"""Seconds before each look for a schedule whose making is uncertain."""


@dataclass(frozen=True, kw_only=True)
class JobTrigger(Trigger):
    """When it starts jobs: by a cron expression of five fields, ``TZ=…`` before them where they are meant in a time zone.

    Attributes:
        count: after how many jobs it ends.
        queueing: whether a job that is due waits while ``concurrency`` of them run.
    """

    cron: str
    count: int | None = None
    concurrency: int = 1
    queueing: bool = False

    def details(self) -> dict[str, Any]:
        """What it says beside cron and times, for programs."""
        return {
            "max_run_count": self.count,
            "max_concurrent_run_count": self.concurrency,
            "allow_queueing": self.queueing,
        }


@dataclass(frozen=True, kw_only=True)
class JobScheduleRequest:
    """A schedule to make.

    Attributes:
        name: what people see.
        job: what it starts; its labels tell ours apart (see `key_of`).
        enabled: whether it starts anything.
    """

    name: str
    trigger: JobTrigger
    job: JobRequest
    enabled: bool = True

    def marked(self, config: VertexAIConfig) -> JobScheduleRequest:
        """The same, with a digest of all that it says among the job's labels: equal ones need not be made anew."""
        labels = {key: value for key, value in self.job.labels.items() if key != DIGEST}
        said = [self.name, vars(self.trigger), self.job.name, self.job.spec, labels, self.enabled]
        text = json.dumps([*said, config.model_dump(mode="json")], sort_keys=True, default=str)
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        return replace(self, job=replace(self.job, labels={**labels, DIGEST: digest}))


@dataclass(frozen=True, kw_only=True)
class JobSchedule(Schedule):
    """A schedule as Vertex AI has it; its state is ``ACTIVE``, ``PAUSED`` or ``COMPLETED``."""

    trigger: JobTrigger
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str | None:
        """Of all that ours was made with."""
        return self.labels.get(DIGEST)

    def details(self) -> dict[str, Any]:
        """How often it starts jobs, and its labels."""
        return {**self.trigger.details(), "labels": dict(self.labels)}


def key_of(labels: Mapping[str, str]) -> str | None:
    """By which ours are known again: pipeline and schedule; None for those of others."""
    pipeline, name = labels.get(PIPELINE), labels.get(SCHEDULE)
    return f"{pipeline}/{name}" if pipeline and name else None


@dataclass(frozen=True)
class Schedules:
    """The schedules of a project in a region."""

    connection: Connection

    def list(self) -> Iterator[JobSchedule]:
        """All of them, the latest first.

        Raises:
            AuthError, ServerError
        """
        request = {"parent": self.connection.parent, "order_by": "create_time desc"}
        with self.connection.errors("list the schedules"):
            for entry in self.connection.schedules.list_schedules(request, timeout=TIMEOUT):
                yield self._schedule(entry)

    def create(self, request: JobScheduleRequest) -> JobSchedule:
        """Make one, once: where no answer came, it is looked for by its digest before it is made again.

        Args:
            request: one that is marked.

        Raises:
            AuthError, ServerError: none was made.
        """
        made = self._create(request)
        if not request.enabled:
            with self.connection.errors(f"pause the schedule {request.name!r}"):
                self.connection.schedules.pause_schedule(name=self._resource(made.id), timeout=TIMEOUT)
            return replace(made, state="PAUSED", enabled=False)
        return made

    def delete(self, schedule_id: str) -> None:
        """Delete one; that it is gone already is no error.

        Raises:
            AuthError, ServerError
        """
        from google.api_core.exceptions import NotFound

        with self.connection.errors(f"delete the schedule {schedule_id!r}"):
            try:
                operation = self.connection.schedules.delete_schedule(name=self._resource(schedule_id), timeout=TIMEOUT)
                operation.result(timeout=300)
            except NotFound:
                return

    def _create(self, request: JobScheduleRequest) -> JobSchedule:
        message = {"parent": self.connection.parent, "schedule": self._message(request)}
        with self.connection.errors(f"make the schedule {request.name!r}"):
            for pause in (*_LOOKS, None):
                try:
                    return self._schedule(self.connection.schedules.create_schedule(message, timeout=TIMEOUT))
                except Exception as error:
                    if pause is None or not passes(error):
                        raise
                    log.warning("Vertex AI did not answer; looking whether the schedule is there")
                self.connection.sleep(pause)
                digest = request.job.labels[DIGEST]
                found = next((s for s in self.list() if s.digest == digest and s.state != ENDED), None)
                if found:
                    return found
        raise AssertionError("the last attempt returns or raises")

    def _message(self, request: JobScheduleRequest) -> Any:
        types, trigger = self.connection.types, request.trigger
        message = types.Schedule(
            display_name=display_name(request.name),
            cron=trigger.cron,
            max_concurrent_run_count=trigger.concurrency,
            allow_queueing=trigger.queueing,
            create_pipeline_job_request=types.CreatePipelineJobRequest(
                parent=self.connection.parent, pipeline_job=pipeline_job(self.connection, request.job)
            ),
        )
        if trigger.start_time:
            message.start_time = trigger.start_time
        if trigger.end_time:
            message.end_time = trigger.end_time
        if trigger.count:
            message.max_run_count = trigger.count
        return message

    def _resource(self, schedule_id: str) -> str:
        return f"{self.connection.parent}/schedules/{schedule_id}"

    def _schedule(self, entry: Any) -> JobSchedule:
        schedule_id = entry.name.rpartition("/")[2]
        labels = dict(entry.create_pipeline_job_request.pipeline_job.labels)
        return JobSchedule(
            id=schedule_id,
            name=entry.display_name or schedule_id,
            key=key_of(labels),
            state=entry.state.name,
            trigger=JobTrigger(
                cron=entry.cron,
                start_time=entry.start_time,
                end_time=entry.end_time,
                count=entry.max_run_count or None,
                concurrency=entry.max_concurrent_run_count,
                queueing=entry.allow_queueing,
            ),
            enabled=entry.state.name == "ACTIVE",
            labels=labels,
            created_at=entry.create_time,
            next_run_at=entry.next_run_time,
        )
