"""Vertex AI Pipelines: run a compiled pipeline there once, or again and again; see what there is."""

from __future__ import annotations

import datetime
import itertools
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kedro_kubeflow.config.cron import five_fields
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.config.model import parse
from kedro_kubeflow.config.schedules import ScheduleConfig
from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.errors import ConfigError, KedroKubeflowError, ServerError
from kedro_kubeflow.names import pipeline_name
from kedro_kubeflow.prepared import Prepared
from kedro_kubeflow.project.opening import OpenProject, open_project
from kedro_kubeflow.project.target import configured
from kedro_kubeflow.targets.run_name import fill_run_name
from kedro_kubeflow.targets.vertexai import names
from kedro_kubeflow.targets.vertexai.client import VertexClient
from kedro_kubeflow.targets.vertexai.jobs import Job, JobRequest
from kedro_kubeflow.targets.vertexai.schedules import Schedule, ScheduleRequest, Trigger

log = logging.getLogger(__name__)

DEFAULT = "default"


@dataclass(frozen=True)
class VertexProject:
    """A project and what its configuration says of Vertex AI; its pipelines are not imported."""

    project: OpenProject
    config: KubeflowConfig

    @property
    def client(self) -> VertexClient:
        """A client of the configured place."""
        return VertexClient(section(self.config))

    def pipeline(self, name: str) -> str:
        """What one of its pipelines or jobs is called there."""
        return pipeline_name(self.project.name, name)


def open_for_vertex(env: str | None = None, path: Path | None = None) -> VertexProject:
    """Read a project's configuration.

    Raises:
        ProjectError: the project cannot be opened.
        ConfigError: it is wrong, or says nothing of Vertex AI.
    """
    project = open_project(path, env=env)
    return VertexProject(project, configured(project.config_loader(), "vertexai").config)


def section(config: KubeflowConfig, **given: str | None) -> VertexAIConfig:
    """The section `vertexai`, with what the command line says in place of it.

    Raises:
        ConfigError: there is none, or what is given does not fit.
    """
    if config.vertexai is None:
        raise ConfigError("Vertex AI Pipelines is not configured", where="kubeflow.yml, vertexai")
    over = {key: value for key, value in given.items() if value is not None}
    if not over:
        return config.vertexai
    where = "the command line: " + ", ".join(f"--{key.replace('_', '-')}" for key in over)
    return parse(VertexAIConfig, {**config.vertexai.model_dump(exclude_unset=True), **over}, where=where)


@dataclass(frozen=True)
class StartedJob:
    """A job that was started.

    Attributes:
        experiment: the experiment that it is filed under; None where there is none, or where filing failed.
    """

    job: Job
    experiment: str | None


def run_once(prepared: Prepared, vertexai: VertexAIConfig, *, run_name: str | None = None) -> StartedJob:
    """Start a job, and file it under the configured experiment.

    Args:
        run_name: a template; `{parameter}` stands for a value. `run_config.run_name` where it is None.

    Raises:
        ConfigError: the name speaks of a parameter that is not there, or the service account is Kubernetes' own.
        DependencyError: google-cloud-aiplatform is not installed.
        AuthError, ServerError: it was not started.
    """
    _check_service_account(prepared.config, vertexai)
    client, compiled = VertexClient(vertexai), prepared.compiled
    template = run_name or prepared.config.run_config.run_name
    shown = fill_run_name(template, prepared.parameters) if template else f"{compiled.display_name} {_now()}"
    name = vertexai.experiment_name
    experiment = client.experiments.ensure(name, vertexai.experiment_description) if name else None
    job = client.jobs.start(
        JobRequest(id=names.job_id(compiled.name), name=shown, spec=compiled.pipeline_spec, labels=labels_of(prepared))
    )
    return StartedJob(job, name if experiment and _filed(client, experiment, job) else None)


def labels_of(prepared: Prepared) -> dict[str, str]:
    """The labels by which jobs of the project are found."""
    tags, compiled = prepared.compiled.tags, prepared.compiled
    known = {names.PROJECT: tags.get("project"), names.PIPELINE: compiled.name, names.ENV: tags.get("env")}
    return {key: names.label_value(value) for key, value in known.items() if value}


def list_jobs(client: VertexClient, *, limit: int = 20, pipeline: str | None = None) -> list[Job]:
    """The latest jobs, without their steps.

    Args:
        pipeline: only the jobs of this pipeline, by its name there.

    Raises:
        AuthError, ServerError
    """
    found = (job for job in client.jobs.list() if pipeline in (None, job.labels.get(names.PIPELINE)))
    return list(itertools.islice(found, limit))


def job_id_of(text: str) -> str:
    """The id of a job, also out of a link to it or its full name.

    >>> job_id_of("https://console.cloud.google.com/vertex-ai/locations/europe-west1/pipelines/runs/demo-1?project=p")
    'demo-1'
    """
    match = re.search(r"/(?:pipelines/runs|pipelineJobs)/([^/?#]+)", text)
    return match.group(1) if match else text.strip()


@dataclass(frozen=True)
class ScheduleChange:
    """What has to be done, or was done, for one schedule.

    Attributes:
        action: ``none`` where one like it is there already.
        schedule: the one that is there, or was made; None in a plan.
        replaced: the ones that go.
    """

    action: Literal["create", "replace", "none"]
    key: str
    request: ScheduleRequest
    schedule: Schedule | None
    replaced: tuple[Schedule, ...]


def schedule_request(
    prepared: Prepared, config: ScheduleConfig, vertexai: VertexAIConfig, *, name: str = DEFAULT
) -> ScheduleRequest:
    """A schedule of a compiled pipeline.

    Args:
        config: when it starts; its parameters are compiled in already.
        name: tells several schedules of one pipeline apart.

    Raises:
        ConfigError: it says what Vertex AI has no word for.
    """
    _check_service_account(prepared.config, vertexai)
    run = prepared.config.run_config
    template = config.run_name or run.scheduled_run_name or run.run_name
    shown = fill_run_name(template, prepared.parameters) if template else f"{prepared.compiled.name} ({name})"
    labels = {**labels_of(prepared), names.SCHEDULE: names.label_value(name)}
    job = JobRequest(name=shown, spec=prepared.compiled.pipeline_spec, labels=labels)
    return ScheduleRequest(name=shown, trigger=_trigger(config), job=job, enabled=config.enabled).marked(vertexai)


def plan(client: VertexClient, request: ScheduleRequest) -> ScheduleChange:
    """What would be done; nothing is changed.

    Raises:
        AuthError, ServerError
    """
    labels = request.job.labels
    key = f"{labels[names.PIPELINE]}/{labels[names.SCHEDULE]}"
    existing = [s for s in client.schedules.list() if s.key == key]
    state = "ACTIVE" if request.enabled else "PAUSED"
    same = next((s for s in existing if s.digest == labels[names.DIGEST] and s.state == state), None)
    others = tuple(s for s in existing if s is not same)
    if same:
        return ScheduleChange("replace" if others else "none", key, request, same, others)
    return ScheduleChange("replace" if existing else "create", key, request, None, others)


def apply(client: VertexClient, change: ScheduleChange) -> ScheduleChange:
    """Do it: the new one first, then the old ones go.

    Raises:
        AuthError, ServerError: and then it says what was done and what was not.
    """
    made = change.schedule or client.schedules.create(change.request)
    for old in change.replaced:
        try:
            client.schedules.delete(old.id)
        except KedroKubeflowError as error:
            raise ServerError(
                f"The new schedule {made.id} is there, but the old one {old.id} could not be deleted, and both start runs: "
                f"{error.what}",
                where=old.link,
                cure="schedule again, which deletes it, or delete it in the console",
            ) from error
    return ScheduleChange(change.action, change.key, change.request, made, change.replaced)


def list_schedules(client: VertexClient) -> list[Schedule]:
    """All schedules of the region, also those that were not made here."""
    return list(client.schedules.list())


def delete(client: VertexClient, schedules: Iterable[Schedule]) -> None:
    """Delete schedules."""
    for schedule in schedules:
        client.schedules.delete(schedule.id)


def _trigger(config: ScheduleConfig) -> Trigger:
    where = "kubeflow.yml, run_config.schedules"
    given = config.model_fields_set
    for key, has, reason in (
        ("interval", config.interval is not None, "it starts runs by cron expressions only: write `cron`"),
        (
            "version",
            config.version is not None,
            "no pipelines are uploaded there: the schedule holds the pipeline itself",
        ),
        ("catchup", "catchup" in given and config.catchup, "missed runs are not made up for"),
        ("experiment_name", config.experiment_name is not None, "its runs are not filed under experiments"),
    ):
        if has:
            raise ConfigError(f"`{key}` of a schedule cannot be had on Vertex AI: {reason}", where=where)
    try:
        cron = five_fields(config.cron or "")
    except ValueError as error:
        raise ConfigError(f"The schedule does not fit Vertex AI: {error}", where=where) from None
    return Trigger(
        cron=cron,
        start_time=config.start_time,
        end_time=config.end_time,
        count=config.max_run_count,
        concurrency=config.max_concurrency,
        queueing=config.allow_queueing,
    )


def _check_service_account(config: KubeflowConfig, vertexai: VertexAIConfig) -> None:
    account = config.run_config.service_account
    if account and not vertexai.service_account:
        raise ConfigError(
            f"The service account {account!r} is one of Kubernetes, which Vertex AI does not know",
            where="kubeflow.yml, run_config.service_account",
            cure="name one of Google Cloud's under `vertexai.service_account`: NAME@PROJECT.iam.gserviceaccount.com",
        )


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


def _now() -> str:
    return f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S}"
