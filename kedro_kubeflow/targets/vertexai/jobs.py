"""Pipeline jobs: start one exactly once, look at it, end it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.parameters import VERTEX_JOB
from kedro_kubeflow.results.spec import defaults_of
from kedro_kubeflow.targets.base.run import Run
from kedro_kubeflow.targets.vertexai.connection import TIMEOUT, Connection
from kedro_kubeflow.targets.vertexai.names import display_name
from kedro_kubeflow.targets.vertexai.refusals import passes
from kedro_kubeflow.targets.vertexai.steps import job_state, steps_of

log = logging.getLogger(__name__)

_PAUSES = (1.0, 2.0, 4.0)
"""Seconds before each further attempt at starting a job."""
_LISTED = ("name", "display_name", "state", "create_time", "end_time", "labels", "error", "schedule_name")
_POLICIES = {"slow": 1, "fast": 2}


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """A job to start.

    Attributes:
        id: nobody has it yet; empty for the jobs of a schedule, which get theirs when they start.
        name: what people see.
        spec: the pipeline's spec as plain values.
    """

    id: str = ""
    name: str
    spec: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Job(Run):
    """A job as Vertex AI has it.

    Attributes:
        schedule: the full name of the schedule that started it.
        context: the full name of what stands for it among experiments; empty for its first moments.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    schedule: str | None = None
    context: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing will happen to it by itself any more."""
        return super().ended or self.state == "PAUSED"

    def details(self) -> dict[str, Any]:
        """Its id by Vertex AI's word for it, its labels, and what started it."""
        return {"job_id": self.id, "labels": dict(self.labels), "schedule": self.schedule}


@dataclass(frozen=True)
class Jobs:
    """The jobs of a project in a region."""

    connection: Connection

    def start(self, request: JobRequest) -> Job:
        """Start a job, once: as its id is its own, a request whose answer was lost may be sent again.

        Raises:
            AuthError, ServerError: it was not started.
        """
        from google.api_core.exceptions import Conflict

        message = self.connection.types.CreatePipelineJobRequest(
            parent=self.connection.parent,
            pipeline_job=pipeline_job(self.connection, request),
            pipeline_job_id=request.id,
        )
        with self.connection.errors(f"start the job {request.name!r}"):
            for pause in (*_PAUSES, None):
                try:
                    return self._job(self.connection.jobs.create_pipeline_job(message, timeout=TIMEOUT))
                except Conflict:
                    if pause == _PAUSES[0]:
                        raise
                    break
                except Exception as error:
                    if pause is None or not passes(error):
                        raise
                    log.warning("Vertex AI did not answer; trying again")
                self.connection.sleep(pause)
        # An earlier request had arrived after all.
        return self.get(request.id)

    def get(self, job_id: str) -> Job:
        """A job with its steps.

        Raises:
            ServerAway: it may be asked for again.
            AuthError, ServerError
        """
        return self._get(job_id, f"get the job {job_id!r}")

    def look(self, job_id: str) -> Job:
        """The same, of a job that is waited for."""
        return self._get(job_id, f"look at the job {job_id!r}, which goes on")

    def _get(self, job_id: str, doing: str) -> Job:
        with self.connection.errors(doing):
            return self._job(self.connection.jobs.get_pipeline_job(name=self._resource(job_id), timeout=TIMEOUT))

    def outputs(self, job_id: str) -> tuple[dict[str, Any], dict[tuple[str, str], str]]:
        """A job's pipeline, as KFP's IR, and (task, artifact) → URI of what its tasks have put out.

        Raises:
            AuthError, ServerError
        """
        with self.connection.errors(f"get the job {job_id!r}"):
            entry = self.connection.jobs.get_pipeline_job(name=self._resource(job_id), timeout=TIMEOUT)
        found = {
            (detail.task_name, name): artifacts.artifacts[0].uri
            for detail in entry.job_detail.task_details
            for name, artifacts in detail.outputs.items()
            if artifacts.artifacts
        }
        return _plain(entry), found

    def list(self) -> Iterator[Job]:
        """Jobs, the latest first, without their steps.

        Raises:
            AuthError, ServerError
        """
        from google.protobuf.field_mask_pb2 import FieldMask

        request = {
            "parent": self.connection.parent,
            "order_by": "create_time desc",
            "read_mask": FieldMask(paths=_LISTED),
        }
        with self.connection.errors("list the jobs"):
            found = self.connection.jobs.list_pipeline_jobs(request, timeout=TIMEOUT)
            for entry in found:
                yield self._job(entry, steps=False)

    def cancel(self, job_id: str) -> None:
        """End a job.

        Raises:
            AuthError, ServerError
        """
        with self.connection.errors(f"cancel the job {job_id!r}"):
            self.connection.jobs.cancel_pipeline_job(name=self._resource(job_id), timeout=TIMEOUT)

    def _resource(self, job_id: str) -> str:
        return f"{self.connection.parent}/pipelineJobs/{job_id}"

    def _job(self, entry: Any, *, steps: bool = True) -> Job:
        name = entry.name.rpartition("/")[2]
        return Job(
            id=name,
            name=entry.display_name or name,
            state=job_state(entry.state.name),
            created_at=entry.create_time,
            finished_at=entry.end_time,
            canceled=job_state(entry.state.name) == "CANCELED",
            steps=steps_of(_plain(entry), entry.job_detail.task_details) if steps else (),
            error=" ".join(entry.error.message.split()) or None if entry.error else None,
            labels=dict(entry.labels),
            schedule=entry.schedule_name or None,
            context=entry.job_detail.pipeline_run_context.name,
        )


def pipeline_job(connection: Connection, request: JobRequest) -> Any:
    """Google's message: a ``PipelineJob``."""
    types, config = connection.types, connection.config
    job = types.PipelineJob(
        display_name=display_name(request.name),
        pipeline_spec=dict(request.spec),
        labels={**config.labels, **request.labels},
        runtime_config=types.PipelineJob.RuntimeConfig(
            gcs_output_directory=config.root,
            failure_policy=_POLICIES[config.failure_policy],
            parameter_values=_filled_in(request.spec),
        ),
        **_where(config),
    )
    if config.encryption_key:
        job.encryption_spec = types.EncryptionSpec(kms_key_name=config.encryption_key)
    return job


def _filled_in(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with a value that Vertex AI fills in when a job starts, as it does in what a job is given."""
    return {name: value for name, value in defaults_of(spec).items() if VERTEX_JOB.search(json.dumps(value))}


def _where(config: VertexAIConfig) -> dict[str, str]:
    given = {"service_account": config.service_account, "network": config.network.vpc}
    return {key: value for key, value in given.items() if value}


def _plain(entry: Any) -> dict[str, Any]:
    """The spec of a job as plain values."""
    from google.protobuf import json_format

    return dict(json_format.MessageToDict(type(entry).pb(entry).pipeline_spec))
