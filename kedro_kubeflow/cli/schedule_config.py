"""Which schedules the command line and kubeflow.yml ask for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_kubeflow.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from kedro_kubeflow.config.kubeflow import KubeflowConfig
    from kedro_kubeflow.config.schedules import ScheduleConfig

DEFAULT_SCHEDULE = "default_schedule"
"""The key of `run_config.schedules` that stands for pipelines which have none of their own."""


def schedules_of(config: KubeflowConfig, options: dict[str, Any]) -> dict[str, ScheduleConfig]:
    """The schedules that are asked for, by pipeline or job.

    Raises:
        ConfigError: there are none, there is no such job, nothing says when, or something is wrong.
    """
    known, overrides = configured(config), _overrides(options)
    names = sorted({*known} - {DEFAULT_SCHEDULE}) if options["every"] else [asked_name(config, options)]
    if not names:
        raise ConfigError("There are no schedules", where="kubeflow.yml, run_config.schedules", cure="add some there")
    return {name: _schedule_config(known, name, overrides) for name in names}


def configured(config: KubeflowConfig) -> dict[str, ScheduleConfig]:
    """The schedules of kubeflow.yml by pipeline and job; they have one name space, as they have on the server."""
    jobs = {name: job.schedule for name, job in config.jobs.items() if job.schedule}
    return {**config.run_config.schedules, **jobs}


def asked_name(config: KubeflowConfig, options: dict[str, Any]) -> str:
    """The pipeline or the job that the command line names.

    Raises:
        ConfigError: there is no such job.
    """
    job: str | None = options["job"]
    if job is None:
        return str(options["pipeline"])
    if job not in config.jobs:
        hint = did_you_mean(job, config.jobs)
        raise ConfigError(f"There is no job {job!r}. {hint}", where="kubeflow.yml, jobs", cure="add it there")
    return job


def _overrides(options: dict[str, Any]) -> dict[str, Any]:
    """What the command line says of the schedule itself."""
    from kedro_kubeflow.project.overrides import read_overrides

    file: Path | None = options["params_file"]
    names = (
        "cron", "interval", "timezone", "start_time", "end_time", "max_concurrency", "allow_queueing", "max_run_count",
        "catchup", "experiment_name", "run_name", "service_account", "version", "enabled",
    )  # fmt: skip
    given = {name: options[name] for name in names if options[name] is not None}
    params = read_overrides(options["params"], options["param"], file)
    return {**given, **({"params": params} if params else {})}


def _schedule_config(known: dict[str, ScheduleConfig], pipeline: str, given: dict[str, Any]) -> ScheduleConfig:
    from kedro_kubeflow.config.model import parse
    from kedro_kubeflow.config.schedules import ScheduleConfig

    found = known.get(pipeline) or known.get(DEFAULT_SCHEDULE)
    base = found.model_dump(exclude_unset=True) if found else {}
    if {"cron", "interval"} & set(given):
        gone = ("cron", "interval", "timezone") if "interval" in given else ("cron", "interval")
        base = {key: value for key, value in base.items() if key not in gone}
    if not {"cron", "interval"} & {*base, *given}:
        raise ConfigError(
            f"Nothing says when the pipeline {pipeline!r} is to run. {did_you_mean(pipeline, known)}",
            where="kubeflow.yml, run_config.schedules",
            cure="give -c CRON or --interval, or configure a schedule there",
        )
    params = {**base.get("params", {}), **given.get("params", {})}
    where = f"the options of `schedule`, and kubeflow.yml, run_config.schedules.{pipeline}"
    return parse(ScheduleConfig, {**base, **given, "params": params}, where=where)
