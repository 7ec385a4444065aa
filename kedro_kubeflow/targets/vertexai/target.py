"""Vertex AI Pipelines as a target."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.targets.base.run import Run, Step
from kedro_kubeflow.targets.base.schedule import Retired, Schedule, ScheduleChange, ScheduleRequest
from kedro_kubeflow.targets.base.target import RunOptions, Target
from kedro_kubeflow.targets.base.waiting import Look
from kedro_kubeflow.targets.vertexai import names
from kedro_kubeflow.targets.vertexai.client import VertexClient
from kedro_kubeflow.targets.vertexai.jobs import Job
from kedro_kubeflow.targets.vertexai.limits import CANNOT
from kedro_kubeflow.targets.vertexai.requests import (
    check_service_account,
    job_request,
    schedule_request,
    section,
    trigger_of,
)
from kedro_kubeflow.targets.vertexai.schedules import JobScheduleRequest, key_of
from kedro_kubeflow.targets.vertexai.steps import JobStep

if TYPE_CHECKING:
    from kedro_kubeflow.code.archive import Archive
    from kedro_kubeflow.compiler import CompiledPipeline
    from kedro_kubeflow.config.schedules import ScheduleConfig
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.request import TravellingCode
    from kedro_kubeflow.results.artifact import RunArtifact

log = logging.getLogger(__name__)


class VertexTarget(Target):
    """The project and the region that kubeflow.yml names."""

    name = "vertexai"
    display_name = "Vertex AI Pipelines"
    noun, place = "job", "in the region"
    on_kubernetes = False
    cannot = CANNOT

    @property
    def vertexai(self) -> VertexAIConfig:
        """The section `vertexai`.

        Raises:
            ConfigError: there is none.
        """
        return section(self.config)

    @cached_property
    def client(self) -> VertexClient:
        """What asks Vertex AI."""
        return VertexClient(self.vertexai)

    def adapt(self, compiled: CompiledPipeline) -> CompiledPipeline:
        """The pipeline as Vertex AI takes it.

        Raises:
            ConfigError: it asks for something that only Kubernetes has.
        """
        from kedro_kubeflow.targets.vertexai.adapt import for_vertex

        return for_vertex(compiled, self.vertexai)

    def start(
        self, prepared: Prepared, options: RunOptions, *, on_change: Callable[[Run], None] = lambda _: None
    ) -> Run:
        """Start a job, and file it under the configured experiment."""
        given = {"service_account": options.service_account, "experiment_name": options.experiment_name}
        vertexai = section(self.config, **given)
        check_service_account(self.config, vertexai)
        client, name = VertexClient(vertexai), vertexai.experiment_name
        template = options.run_name or self.config.run_config.run_name
        request = job_request(prepared.compiled, template, prepared.parameters)
        experiment = client.experiments.ensure(name, vertexai.experiment_description) if name else None
        job = client.jobs.start(request)
        filed = experiment is not None and _filed(client, experiment, job)
        return replace(job, experiment=name if filed else None)

    def run_id(self, text: str) -> str:
        """The id of a job, also out of a link to it or its full name."""
        return job_id_of(text)

    def get(self, run_id: str) -> Job:
        """A job with its steps."""
        return self.client.jobs.get(run_id)

    def look(self, run_id: str, *, pending_timeout: float | None = None) -> Look:
        """The same, of a job that is waited for."""
        return Look(lambda: self.client.jobs.look(run_id))

    def runs(self, *, limit: int = 20, pipeline: str | None = None) -> list[Run]:
        """The latest jobs; those of a pipeline are found by their label."""
        wanted = names.label_value(self.pipeline_name(pipeline)) if pipeline else None
        found = (job for job in self.client.jobs.list() if wanted in (None, job.labels.get(names.PIPELINE)))
        return list(itertools.islice(found, limit))

    def latest(self, pipeline: str | None = None) -> Run:
        """Jobs of a project are known by their label."""
        if pipeline:
            return super().latest(pipeline)
        own = names.label_value(self.project.name)
        return self._first((job for job in self.client.jobs.list() if job.labels.get(names.PROJECT) == own), None)

    def how_to_read_log(self, run: Run, step: Step) -> str | None:
        """The command that asks Cloud Logging."""
        if not isinstance(step, JobStep) or not step.custom_job:
            return None
        return (
            f'gcloud logging read \'resource.type="ml_job" resource.labels.job_id="{step.custom_job}"\' '
            f"--project {self.vertexai.project_id} --order asc --format 'value(jsonPayload.message)'"
        )

    def artifacts(self, run_id: str) -> list[RunArtifact]:
        """The job's own tasks tell where they have put them."""
        from kedro_kubeflow.results.spec import artifacts_of
        from kedro_kubeflow.targets.base.spec import in_order

        spec, uris = self.client.jobs.outputs(run_id)
        return in_order(spec, (a.at(a.uri or uris.get((a.task, a.name), "")) for a in artifacts_of(spec)))

    def spec(self, run_id: str) -> Mapping[str, Any]:
        """It was compiled for this very job, with its parameters as defaults."""
        return self.client.jobs.outputs(run_id)[0]

    def carry(self, archive: Archive, prepared: Prepared) -> TravellingCode:
        """It goes to where the pipelines keep their artifacts."""
        from kedro_kubeflow.request import TravellingCode
        from kedro_kubeflow.targets.base.travel import put

        return TravellingCode(digest=archive.digest, uris=(put(f"{self.vertexai.root.rstrip('/')}/code", archive),))

    def terminate(self, run_id: str) -> Job:
        """Cancel a job."""
        self.client.jobs.cancel(run_id)
        return self.client.jobs.get(run_id)

    def schedules(self, *, namespace: str | None = None) -> list[Schedule]:
        """All schedules of the region."""
        return list(self.client.schedules.list())

    def check_schedule(self, config: ScheduleConfig) -> None:
        """It counts no seconds, and knows no intervals."""
        trigger_of(config)

    def plan_schedule(self, request: ScheduleRequest) -> ScheduleChange:
        """What is scheduled is the pipeline itself, compiled now."""
        vertexai = section(self.config, service_account=request.config.service_account)
        check_service_account(self.config, vertexai)
        run, prepared = self.config.run_config, request.prepared()
        template = request.config.run_name or run.scheduled_run_name or run.run_name
        made = schedule_request(
            prepared.compiled,
            request.config,
            vertexai,
            name=request.name,
            template=template,
            values=prepared.parameters,
        )
        labels = made.job.labels
        key, state = key_of(labels), "ACTIVE" if made.enabled else "PAUSED"
        existing = [s for s in self.client.schedules.list() if s.key == key]
        same = next((s for s in existing if s.digest == labels[names.DIGEST] and s.state == state), None)
        return ScheduleChange(
            key=f"{key}",
            name=made.name,
            trigger=made.trigger,
            enabled=made.enabled,
            existing=existing,
            same=same,
            request=(VertexClient(vertexai), made),
        )

    def make_schedule(self, request: tuple[VertexClient, JobScheduleRequest]) -> Schedule:
        """Make one."""
        client, made = request
        return client.schedules.create(made)

    def delete_schedule(self, schedule: Schedule, *, force: bool = False) -> Retired:
        """Delete a schedule; its jobs go on."""
        self.client.schedules.delete(schedule.id)
        return Retired(schedule, deleted=True)

    def link(self, run_id: str | None = None) -> str:
        """The page of a job in Google Cloud's console, or that of all."""
        return self.vertexai.job_link(run_id) if run_id else self.vertexai.ui_link

    def schedule_link(self, schedule_id: str) -> str:
        """The page of a schedule."""
        return self.vertexai.schedule_link(schedule_id)

    def schedule_key(self, pipeline: str, name: str = "") -> str:
        """Made of labels, which hold less than names."""
        return f"{names.label_value(self.pipeline_name(pipeline))}/{names.label_value(name) if name else ''}"

    def command(self, name: str, run_id: str) -> str:
        """Said with the target, as a job's id alone does not tell it."""
        return f"{super().command(name, run_id)} --target {self.name}"


def job_id_of(text: str) -> str:
    """The id of a job, also out of a link to it or its full name.

    >>> job_id_of("https://console.cloud.google.com/vertex-ai/locations/europe-west1/pipelines/runs/demo-1?project=p")
    'demo-1'
    """
    match = re.search(r"/(?:pipelines/runs|pipelineJobs)/([^/?#]+)", text)
    return match.group(1) if match else text.strip()


def _filed(client: VertexClient, experiment: str, job: Job) -> bool:
    """File a job; it runs whether or not that works."""
    try:
        done = client.experiments.file(experiment, job)
    except KedroKubeflowError as error:
        log.warning("The job runs, and could not be filed under its experiment: %s", error)
        return False
    if not done:
        log.warning("The job is not filed under its experiment: Vertex AI did not know it there in time")
    return done
