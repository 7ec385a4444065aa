"""A compiled pipeline → the job or the schedule that is asked of Vertex AI."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kedro_kubeflow.config.cron import five_fields
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.config.model import parse
from kedro_kubeflow.config.schedules import ScheduleConfig
from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.targets.base.run_name import fill_run_name
from kedro_kubeflow.targets.vertexai import names
from kedro_kubeflow.targets.vertexai.jobs import JobRequest
from kedro_kubeflow.targets.vertexai.limits import SCHEDULE
from kedro_kubeflow.targets.vertexai.schedules import JobScheduleRequest, JobTrigger

if TYPE_CHECKING:
    from kedro_kubeflow.compiler import CompiledPipeline

_WHERE = "kubeflow.yml, run_config.schedules"


def section(config: KubeflowConfig, **given: str | None) -> VertexAIConfig:
    """The section `vertexai`, with what the command line says in place of it.

    Raises:
        ConfigError: there is none, what is given does not fit, or the service account is one of Kubernetes.
    """
    if config.vertexai is None:
        raise ConfigError("Vertex AI Pipelines is not configured", where="kubeflow.yml, vertexai")
    over = {key: value for key, value in given.items() if value is not None}
    if not over:
        return config.vertexai
    where = "the command line: " + ", ".join(f"--{key.replace('_', '-')}" for key in over)
    return parse(VertexAIConfig, {**config.vertexai.model_dump(exclude_unset=True), **over}, where=where)


def check_service_account(config: KubeflowConfig, vertexai: VertexAIConfig) -> None:
    """A job runs as an account of Google Cloud's.

    Raises:
        ConfigError: only one of Kubernetes is configured.
    """
    account = config.run_config.service_account
    if account and not vertexai.service_account:
        raise ConfigError(
            f"The service account {account!r} is one of Kubernetes, which Vertex AI does not know",
            where="kubeflow.yml, run_config.service_account",
            cure="name one of Google Cloud's under `vertexai.service_account`: NAME@PROJECT.iam.gserviceaccount.com",
        )


def job_request(compiled: CompiledPipeline, template: str | None, values: Mapping[str, Any]) -> JobRequest:
    """A new job.

    Args:
        template: its name, where `{parameter}` stands for one of the values.

    Raises:
        ConfigError: the name speaks of a parameter that is not there.
    """
    now = f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S}"
    shown = fill_run_name(template, values) if template else f"{compiled.display_name} {now}"
    return JobRequest(
        id=names.job_id(compiled.name), name=shown, spec=compiled.pipeline_spec, labels=labels_of(compiled)
    )


def schedule_request(
    compiled: CompiledPipeline,
    config: ScheduleConfig,
    vertexai: VertexAIConfig,
    *,
    name: str,
    template: str | None,
    values: Mapping[str, Any],
) -> JobScheduleRequest:
    """A schedule of a compiled pipeline.

    Args:
        config: when it starts; its parameters are compiled in already.
        name: tells several schedules of one pipeline apart.
        template: as for `job_request`.

    Raises:
        ConfigError: it says what Vertex AI has no word for.
    """
    shown = fill_run_name(template, values) if template else f"{compiled.name} ({name})"
    labels = {**labels_of(compiled), names.SCHEDULE: names.label_value(name)}
    job = JobRequest(name=shown, spec=compiled.pipeline_spec, labels=labels)
    return JobScheduleRequest(name=shown, trigger=trigger_of(config), job=job, enabled=config.enabled).marked(vertexai)


def labels_of(compiled: CompiledPipeline) -> dict[str, str]:
    """The labels by which jobs of the project are found."""
    tags = compiled.tags
    known = {names.PROJECT: tags.get("project"), names.PIPELINE: compiled.name, names.ENV: tags.get("env")}
    return {key: names.label_value(value) for key, value in known.items() if value}


def trigger_of(config: ScheduleConfig) -> JobTrigger:
    """When a schedule starts its jobs.

    Raises:
        ConfigError: it says what Vertex AI has no word for.
    """
    for key, why in SCHEDULE.items():
        asked = config.catchup and "catchup" in config.model_fields_set if key == "catchup" else getattr(config, key)
        if asked is not None and asked is not False:
            raise ConfigError(f"`{key}` of a schedule cannot be had on Vertex AI: {why}", where=_WHERE)
    try:
        cron = five_fields(config.cron or "")
    except ValueError as error:
        raise ConfigError(f"The schedule does not fit Vertex AI: {error}", where=_WHERE) from None
    return JobTrigger(
        cron=cron,
        start_time=config.start_time,
        end_time=config.end_time,
        count=config.max_run_count,
        concurrency=config.max_concurrency,
        queueing=config.allow_queueing,
    )
