"""Schedules: recurring runs on the server, made and replaced so that none is lost.

A schedule is known again by its key, the pipeline's name and its own, which stands in the description: its shown name may
change with the parameters. What is the same is left alone; what has changed is made anew first, and only then does the
old one go, as KFP has no way to change one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from kedro_kubeflow.config.schedules import ScheduleConfig
from kedro_kubeflow.errors import ConfigError, KedroKubeflowError, ServerError
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.experiments import Experiment
from kedro_kubeflow.targets.kubeflow.inputs import every_input, run_inputs
from kedro_kubeflow.targets.kubeflow.named_pipelines import LATEST, find_version
from kedro_kubeflow.targets.kubeflow.recurring_runs import RecurringRun, RecurringRunRequest, Trigger
from kedro_kubeflow.targets.kubeflow.retiring import Retired, retire, retire_all
from kedro_kubeflow.targets.run_name import fill_run_name

log = logging.getLogger(__name__)

DEFAULT = "default"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A schedule as it should be.

    Attributes:
        pipeline: the pipeline's name on the server.
        name: tells several schedules of one pipeline apart.
        experiment_name: where the schedule's configuration names none.
        run_name: a template, where the schedule's configuration has none.
        values: the project's Kedro parameters, for the name.
    """

    pipeline: str
    config: ScheduleConfig
    experiment_name: str
    name: str = DEFAULT
    experiment_namespace: str | None = None
    run_name: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    service_account: str | None = None

    @property
    def key(self) -> str:
        """By which it is known again."""
        return f"{self.pipeline}/{self.name}"


@dataclass(frozen=True)
class Change:
    """What has to be done, or was done, for one schedule.

    Attributes:
        action: ``none`` where one like it is there already.
        schedule: the one that is there, or was made; None in a plan.
        replaced: the ones that go.
        left: what became of these: one whose runs have not ended is switched off, and goes the next time.
    """

    action: Literal["create", "replace", "none"]
    wanted: Wanted
    request: RecurringRunRequest
    schedule: RecurringRun | None
    replaced: tuple[RecurringRun, ...]
    left: tuple[Retired, ...] = ()


def plan(client: KubeflowClient, wanted: Wanted) -> Change:
    """What would be done; nothing is changed.

    Raises:
        ParameterError, ConfigError: parameters or the run's name do not fit the pipeline.
        AuthError, ServerError: among others, the pipeline is not uploaded.
    """
    request = _request(client, wanted, experiment=None)
    existing = owned(client, wanted.key, wanted.experiment_namespace)
    same = next((e for e in existing if _is_same(client, e, request, wanted)), None)
    others = tuple(e for e in existing if e is not same)
    if same:
        return Change("replace" if others else "none", wanted, request, same, others)
    return Change("replace" if existing else "create", wanted, request, None, others)


def apply(client: KubeflowClient, change: Change) -> Change:
    """Do it: the new one first, then the old ones go.

    Raises:
        AuthError, ServerError: and then it says what was done and what was not.
    """
    made = change.schedule
    if made is None:
        wanted = change.wanted
        name = wanted.config.experiment_name or wanted.experiment_name
        experiment = client.experiments.ensure(name, wanted.experiment_namespace)
        made = client.recurring_runs.create(_request(client, wanted, experiment))
    left = tuple(_drop(client, old, made) for old in change.replaced)
    return Change(change.action, change.wanted, change.request, made, change.replaced, left)


def owned(client: KubeflowClient, key: str, namespace: str | None = None) -> list[RecurringRun]:
    """The schedules of a key that are on the server; more than one after something went wrong."""
    return [r for r in client.recurring_runs.list(namespace) if r.key == key]


def list_schedules(client: KubeflowClient, namespace: str | None = None) -> list[RecurringRun]:
    """All schedules of the namespace, also those that were not made here."""
    return list(client.recurring_runs.list(namespace))


def delete(client: KubeflowClient, schedules: Iterable[RecurringRun], *, force: bool = False) -> list[Retired]:
    """Delete schedules; one whose runs have not ended is switched off, unless `force`, which ends them."""
    return retire_all(client, schedules, force=force)


def _drop(client: KubeflowClient, old: RecurringRun, made: RecurringRun) -> Retired:
    try:
        return retire(client, old)
    except KedroKubeflowError as error:
        raise ServerError(
            f"The new schedule {made.id} is there, but the old one {old.id} could not be deleted, and may start runs too: "
            f"{error.what}",
            where=client.address.schedule_link(old.id),
            cure="schedule again, which deletes it, or delete it in the UI",
        ) from error


def _request(client: KubeflowClient, wanted: Wanted, experiment: Experiment | None) -> RecurringRunRequest:
    config = wanted.config
    _refuse_foreign(config)
    version = find_version(client, wanted.pipeline, config.version or LATEST)
    link = client.address.pipeline_link(version.pipeline_id, version.id)
    # What the newest version at each start has as its own values is not known now.
    given = run_inputs(version.spec, config.params, where=link)
    template = config.run_name or wanted.run_name
    values = {**wanted.values, **config.params}
    return RecurringRunRequest(
        key=wanted.key,
        name=fill_run_name(template, values) if template else f"{wanted.pipeline} ({wanted.name})",
        experiment=experiment or Experiment("", config.experiment_name or wanted.experiment_name),
        pipeline_id=version.pipeline_id,
        version_id=None if config.version == LATEST else version.id,
        trigger=Trigger(
            cron=_server_time(config.cron),
            interval=config.interval,
            start_time=config.start_time,
            end_time=config.end_time,
        ),
        parameters=given if config.version == LATEST else every_input(version.spec, given),
        max_concurrency=config.max_concurrency,
        catchup=config.catchup,
        enabled=config.enabled,
        service_account=config.service_account or wanted.service_account,
    )


def _refuse_foreign(config: ScheduleConfig) -> None:
    for key in ("allow_queueing", "max_run_count"):
        if getattr(config, key):
            raise ConfigError(
                f"`{key}` of a schedule is for Vertex AI; Kubeflow Pipelines has no word for it",
                where="kubeflow.yml, run_config.schedules",
                cure="take it out; `end_time` and `max_concurrency` bound a schedule there",
            )


def _server_time(cron: str | None) -> str | None:
    """A cron expression as the server takes it: in the one time zone that its administrator has set.

    Raises:
        ConfigError: it is meant in another.
    """
    zone, _, expression = (cron or "").partition(" ")
    if cron is None or not zone.startswith("TZ="):
        return cron
    if zone.removeprefix("TZ=") in _UTC:
        return expression
    raise ConfigError(
        f"The schedule is meant in the time zone {zone.removeprefix('TZ=')}, and Kubeflow Pipelines takes none: all schedules "
        "of a server are in the server's own, which is UTC as a rule",
        where="kubeflow.yml, run_config.schedules, timezone, or --timezone",
        cure="write the times in UTC, without `timezone`; an administrator may set CRON_SCHEDULE_TIMEZONE of the server's "
        "ml-pipeline-scheduledworkflow",
    )


_UTC = frozenset(
    {"UTC", "Etc/UTC", "UCT", "Zulu", "Etc/Zulu", "Universal", "GMT", "Etc/GMT", "Etc/UCT", "Etc/Universal"}
)


def _is_same(client: KubeflowClient, existing: RecurringRun, request: RecurringRunRequest, wanted: Wanted) -> bool:
    fields = ("name", "pipeline_id", "version_id", "trigger", "parameters", "max_concurrency", "catchup", "enabled")
    if any(getattr(existing, f) != getattr(request, f) for f in fields):
        return False
    if request.service_account not in (None, existing.service_account):
        return False
    names = client.experiments.names(wanted.experiment_namespace)
    return names.get(existing.experiment_id) == request.experiment.name
