"""What the project asks of a schedule → a recurring run; what is the same is left alone.

A schedule is known again by its key, the pipeline's name and its own, which stands in the description: its shown name may
change with the parameters. KFP has no way to change one: what has changed is made anew.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kedro_kubeflow.config.cron_in_utc import in_utc
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.targets.base.run_name import fill_run_name
from kedro_kubeflow.targets.base.schedule import ScheduleChange, Trigger
from kedro_kubeflow.targets.kubeflow.experiments import Experiment
from kedro_kubeflow.targets.kubeflow.inputs import every_input, run_inputs
from kedro_kubeflow.targets.kubeflow.limits import SCHEDULE
from kedro_kubeflow.targets.kubeflow.pipelines import LATEST
from kedro_kubeflow.targets.kubeflow.recurring_runs import RecurringRun, RecurringRunRequest

if TYPE_CHECKING:
    from kedro_kubeflow.config.schedules import ScheduleConfig
    from kedro_kubeflow.targets.base.schedule import ScheduleRequest
    from kedro_kubeflow.targets.base.target import Target
    from kedro_kubeflow.targets.kubeflow.kubeflow import KubeflowClient


log = logging.getLogger(__name__)


def change_of(target: Target, client: KubeflowClient, asked: ScheduleRequest) -> ScheduleChange:
    """What would be done; nothing is changed.

    Raises:
        ParameterError, ConfigError: parameters or the run's name do not fit the pipeline.
        AuthError, ServerError: among others, the pipeline is not uploaded.
    """
    request = _request(target, client, asked)
    listed = client.recurring_runs.list(request.namespace)
    existing = [r for r in listed if r.key == request.key]
    same = next((e for e in existing if _is_same(client, e, request)), None)
    return ScheduleChange(
        key=request.key,
        name=request.name,
        trigger=request.trigger,
        enabled=request.enabled,
        existing=existing,
        same=same,
        request=request,
        details={
            "pipeline_id": request.pipeline_id,
            "version_id": request.version_id,
            "parameters": dict(request.parameters),
        },
    )


def _request(target: Target, client: KubeflowClient, asked: ScheduleRequest) -> RecurringRunRequest:
    config, run, pipeline = asked.config, target.config.run_config, target.pipeline_name(asked.pipeline)
    refuse_foreign(config)
    version = client.pipelines.find_version(pipeline, config.version or LATEST)
    link = client.address.pipeline_link(version.pipeline_id, version.id)
    # What the newest version at each start has as its own values is not known now.
    given = run_inputs(version.spec, config.params, where=link, scheduled=True)
    template = config.run_name or run.scheduled_run_name or run.run_name
    return RecurringRunRequest(
        key=target.schedule_key(asked.pipeline, asked.name),
        name=fill_run_name(template, target.parameters_with(config.params, asked.pipeline))
        if template
        else f"{pipeline} ({asked.name})",
        experiment=Experiment("", config.experiment_name or run.experiment_name or target.project.name),
        pipeline_id=version.pipeline_id,
        version_id=None if config.version == LATEST else version.id,
        trigger=Trigger(
            cron=server_time(config.cron),
            interval=config.interval,
            start_time=config.start_time,
            end_time=config.end_time,
        ),
        parameters=given if config.version == LATEST else every_input(version.spec, given),
        max_concurrency=config.max_concurrency,
        catchup=config.catchup,
        enabled=config.enabled,
        service_account=config.service_account or run.service_account,
        namespace=asked.experiment_namespace or target.config.experiment_namespace,
    )


def refuse_foreign(config: ScheduleConfig) -> None:
    """Refuse what only other targets have a word for.

    Raises:
        ConfigError: it has such a key.
    """
    for key, why in SCHEDULE.items():
        if getattr(config, key):
            raise ConfigError(
                f"`{key}` of a schedule is for Vertex AI; Kubeflow Pipelines has no word for it",
                where="kubeflow.yml, run_config.schedules",
                cure=why,
            )


def server_time(cron: str | None) -> str | None:
    """A cron expression as the server takes it: in the one time zone that its administrator has set, UTC as a rule.

    Raises:
        ConfigError: it is meant in another, and cannot be said in UTC.
    """
    zone, _, expression = (cron or "").partition(" ")
    if cron is None or not zone.startswith("TZ="):
        return cron
    if zone.removeprefix("TZ=") in _UTC:
        return expression
    try:
        found = in_utc(cron)
    except ValueError as error:
        raise ConfigError(
            f"The schedule is meant in the time zone {zone.removeprefix('TZ=')}, and Kubeflow Pipelines takes none: all "
            f"schedules of a server are in the server's own, which is UTC as a rule; and {expression!r} cannot be said in UTC: "
            f"{error}",
            where="kubeflow.yml, run_config.schedules, timezone, or --timezone",
            cure="write the times in UTC, without `timezone`; an administrator may set CRON_SCHEDULE_TIMEZONE of the server's "
            "ml-pipeline-scheduledworkflow",
        ) from error
    log.info("%s is %r in UTC, which is taken for the server's own time", cron, found)
    return found


_UTC = frozenset(
    {"UTC", "Etc/UTC", "UCT", "Zulu", "Etc/Zulu", "Universal", "GMT", "Etc/GMT", "Etc/UCT", "Etc/Universal"}
)


def _is_same(client: KubeflowClient, existing: RecurringRun, request: RecurringRunRequest) -> bool:
    fields = ("name", "pipeline_id", "version_id", "trigger", "parameters", "max_concurrency", "catchup", "enabled")
    if any(getattr(existing, f) != getattr(request, f) for f in fields):
        return False
    if request.service_account not in (None, existing.service_account):
        return False
    names = client.experiments.names(request.namespace)
    return names.get(existing.experiment_id) == request.experiment.name
