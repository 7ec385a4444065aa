"""``kedro kubeflow schedule``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option, image_option, parameter_options, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json, print_table
from kedro_kubeflow.cli.server_project import Opened, open_server
from kedro_kubeflow.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from kedro_kubeflow.config.kubeflow import KubeflowConfig
    from kedro_kubeflow.config.schedules import ScheduleConfig
    from kedro_kubeflow.targets.kubeflow.recurring_runs import RecurringRun
    from kedro_kubeflow.targets.kubeflow.retiring import Retired
    from kedro_kubeflow.targets.kubeflow.schedules import Change, Wanted

DEFAULT_SCHEDULE = "default_schedule"
"""The key of `run_config.schedules` that stands for pipelines which have none of their own."""


@click.command("schedule")
@env_option
@target_option
@click.option("-p", "--pipeline", default="__default__", show_default=True, metavar="NAME", help="Registered pipeline.")
@click.option("--job", metavar="NAME", help="One of `jobs` in kubeflow.yml, in place of a pipeline.")
@click.option(
    "-c", "--cron", "--cron-expression", "cron", metavar="CRON", help="Five fields, or six with seconds first."
)
@click.option("--interval", metavar="DURATION", help="In place of cron: seconds, or a number with s, m, h, d or w.")
@click.option("--start-time", metavar="TIME", help="First possible start, ISO 8601; UTC where it has no offset.")
@click.option("--end-time", metavar="TIME", help="Last possible start.")
@click.option("-t", "--timezone", metavar="ZONE", help="Of the cron expression, such as Europe/Warsaw.")
@click.option(
    "--max-concurrency",
    "--max-concurrent-run-count",
    "max_concurrency",
    type=int,
    help="How many of its runs at once, 1 to 10.",
)
@click.option(
    "--allow-queueing/--no-allow-queueing", default=None, help="Vertex AI: whether a run that is due waits for others."
)
@click.option("--max-run-count", type=int, help="Vertex AI: after how many runs it ends.")
@image_option
@click.option("--no-catchup", "catchup", flag_value=False, default=None, help="Do not make up for missed starts.")
@parameter_options
@click.option("--experiment-name", metavar="NAME", help="Experiment of its runs; made if it is not there.")
@click.option("--experiment-namespace", metavar="NAME", help="Namespace of the experiment and the runs.")
@click.option("--run-name", metavar="TEXT", help="Name of the schedule and its runs; {parameter} stands for a value.")
@click.option("--service-account", metavar="NAME", help="Service account of its runs.")
@click.option(
    "--version", metavar="VERSION", help="Id or name; latest takes the newest at each start. [the newest now]"
)
@click.option("--disabled", "enabled", flag_value=False, default=None, help="Make it, but let it start nothing.")
@click.option("--name", default="default", show_default=True, help="Tells several schedules of one pipeline apart.")
@click.option("--all", "every", is_flag=True, help="All of run_config.schedules, and all jobs with a schedule.")
@click.option("--list", "listing", is_flag=True, help="Show the schedules on the server.")
@click.option(
    "--delete", "deleting", is_flag=True, help="Delete the pipeline's schedule; with --all, all of its schedules."
)
@click.option(
    "--force", is_flag=True, help="With --delete: also where runs of it have not ended, which ends them for good."
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@output_option
@exits
def schedule(listing: bool, deleting: bool, force: bool, dry_run: bool, output: Output, **options: Any) -> None:
    """Let Kubeflow Pipelines run an uploaded pipeline again and again, or Vertex AI the pipeline as it is now.

    Doing it again replaces the schedule. Without options it takes what run_config.schedules says of the pipeline.
    """
    from kedro_kubeflow.project.target import target_of

    if force and not deleting:
        raise click.UsageError("--force is for --delete: a schedule that is replaced goes when its runs have ended.")
    if target_of(options["env"], options.pop("target")) == "vertexai":
        from kedro_kubeflow.cli.schedule_on_vertex import schedule_on_vertex

        schedule_on_vertex(Mode(listing, deleting, dry_run), options, output)
        return
    _refuse_image(options.pop("image"))
    opened = open_server(options.pop("env"))
    namespace = options.pop("experiment_namespace") or opened.namespace
    if listing:
        _list(opened, namespace, output)
    elif deleting:
        _delete(opened, namespace, options, output, dry_run=dry_run, force=force)
    else:
        _make(opened, namespace, options, output, dry_run=dry_run)


@dataclass(frozen=True)
class Mode:
    """What is done with schedules: they are listed, deleted, or else made; or it is only said what would be."""

    listing: bool
    deleting: bool
    dry_run: bool


def _refuse_image(image: str | None) -> None:
    if image:
        raise click.UsageError("--image is for Vertex AI: on Kubeflow Pipelines a schedule runs what was uploaded.")


def _make(opened: Opened, namespace: str | None, options: dict[str, Any], output: Output, *, dry_run: bool) -> None:
    from kedro_kubeflow.targets.kubeflow.schedules import apply, plan

    plans = [plan(opened.client, wanted) for wanted in _wanted(opened, namespace, options)]
    done: list[Change] = []
    try:
        for change in plans:
            done.append(change if dry_run or change.action == "none" else apply(opened.client, change))
            if output == "text":
                _say(opened, done[-1], dry_run=dry_run)
    finally:
        # Where one of several fails, what was done before it is told all the same.
        if output == "json":
            print_json([_change_json(opened, change) for change in done])


def _wanted(opened: Opened, namespace: str | None, options: dict[str, Any]) -> list[Wanted]:
    """The schedules that are asked for, checked before any of them is made."""
    from kedro_kubeflow.targets.kubeflow.schedules import Wanted

    here, run = opened.here, opened.here.config.run_config
    return [
        Wanted(
            pipeline=here.pipeline(name),
            name=options["name"],
            config=config,
            experiment_name=here.experiment,
            experiment_namespace=namespace,
            run_name=run.scheduled_run_name or run.run_name,
            values=here.parameters,
            service_account=run.service_account,
        )
        for name, config in wanted_schedules(here.config, options).items()
    ]


def wanted_schedules(config: KubeflowConfig, options: dict[str, Any]) -> dict[str, ScheduleConfig]:
    """The schedules that are asked for, by pipeline or job.

    Raises:
        ConfigError: there are none, there is no such job, nothing says when, or something is wrong.
    """
    configured, overrides = _configured(config), _overrides(options)
    names = sorted({*configured} - {DEFAULT_SCHEDULE}) if options["every"] else [asked_name(config, options)]
    if not names:
        raise ConfigError("There are no schedules", where="kubeflow.yml, run_config.schedules", cure="add some there")
    return {name: _schedule_config(configured, name, overrides) for name in names}


def _configured(config: KubeflowConfig) -> dict[str, ScheduleConfig]:
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


def _schedule_config(configured: dict[str, ScheduleConfig], pipeline: str, given: dict[str, Any]) -> ScheduleConfig:
    from kedro_kubeflow.config.model import parse
    from kedro_kubeflow.config.schedules import ScheduleConfig

    found = configured.get(pipeline) or configured.get(DEFAULT_SCHEDULE)
    base = found.model_dump(exclude_unset=True) if found else {}
    if {"cron", "interval"} & set(given):
        gone = ("cron", "interval", "timezone") if "interval" in given else ("cron", "interval")
        base = {key: value for key, value in base.items() if key not in gone}
    if not {"cron", "interval"} & {*base, *given}:
        raise ConfigError(
            f"Nothing says when the pipeline {pipeline!r} is to run. {did_you_mean(pipeline, configured)}",
            where="kubeflow.yml, run_config.schedules",
            cure="give -c CRON or --interval, or configure a schedule there",
        )
    params = {**base.get("params", {}), **given.get("params", {})}
    where = f"the options of `schedule`, and kubeflow.yml, run_config.schedules.{pipeline}"
    return parse(ScheduleConfig, {**base, **given, "params": params}, where=where)


def _say(opened: Opened, change: Change, *, dry_run: bool) -> None:
    key, when = change.wanted.key, _when(change.request.trigger)
    would = "would be " if dry_run else ""
    if change.action == "none":
        click.echo(f"{key}: unchanged ({when})")
        return
    click.echo(f"{key}: {would}{'replaced' if change.action == 'replace' else 'created'} ({when})")
    for gone in change.left or _would_go(change.replaced):
        old = gone.schedule
        _say_gone(gone, "  {done}: " + f"{old.id} ({_when(old.trigger)})", would)
    if change.schedule and not dry_run:
        click.echo(f"  {opened.client.address.schedule_link(change.schedule.id)}")


def _change_json(opened: Opened, change: Change) -> dict[str, Any]:
    request, made = change.request, change.schedule
    return {
        "action": change.action,
        "key": request.key,
        "name": request.name,
        "cron": request.trigger.cron,
        "interval": request.trigger.interval,
        "pipeline_id": request.pipeline_id,
        "version_id": request.version_id,
        "parameters": dict(request.parameters),
        "enabled": request.enabled,
        "recurring_run_id": made.id if made else None,
        "link": opened.client.address.schedule_link(made.id) if made else None,
        "replaced": [old.id for old in change.replaced],
        "left": [gone.schedule.id for gone in change.left if not gone.deleted],
    }


def _list(opened: Opened, namespace: str | None, output: Output) -> None:
    from kedro_kubeflow.targets.kubeflow.schedules import list_schedules

    listed = list_schedules(opened.client, namespace)
    if output == "json":
        print_json([_schedule_json(opened, entry) for entry in listed])
        return
    rows = [(s.name, s.key, _when(s.trigger), "on" if s.enabled else "off", s.created_at, s.id) for s in listed]
    print_table(["NAME", "KEY", "WHEN", "STATE", "CREATED", "ID"], rows, empty="There are no schedules on the server.")


def _delete(
    opened: Opened, namespace: str | None, options: dict[str, Any], output: Output, *, dry_run: bool, force: bool
) -> None:
    from kedro_kubeflow.targets.kubeflow.schedules import delete, list_schedules

    prefix = opened.here.pipeline(asked_name(opened.here.config, options)) + "/"
    key = prefix + options["name"]
    listed = list_schedules(opened.client, namespace)
    going = [s for s in listed if s.key == key or (options["every"] and (s.key or "").startswith(prefix))]
    gone = _would_go(going) if dry_run else delete(opened.client, going, force=force)
    if output == "json":
        print_json(
            [{**_schedule_json(opened, g.schedule), "deleted": g.deleted, "runs": [r.id for r in g.runs]} for g in gone]
        )
        return
    for one in gone:
        _say_gone(one, f"{one.schedule.key}: " + "{done} " + f"({one.schedule.id})", "would be " if dry_run else "")
    if not gone:
        click.echo(f"{key}: there is no such schedule", err=True)


def _would_go(schedules: Iterable[RecurringRun]) -> list[Retired]:
    from kedro_kubeflow.targets.kubeflow.retiring import Retired

    return [Retired(schedule, deleted=True) for schedule in schedules]


def _say_gone(gone: Retired, sentence: str, would: str) -> None:
    """Say what became of a schedule; `{done}` in the sentence stands for it."""
    runs = ", ".join(run.id for run in gone.runs)
    if gone.deleted:
        click.echo(sentence.replace("{done}", f"{would}deleted") + (f"; it ended the runs {runs}" if runs else ""))
        return
    click.echo(sentence.replace("{done}", "switched off") + f"; its runs have not ended: {runs}")
    click.echo(
        "    Deleting it would end them for good; the next `schedule` or `schedule --delete` after their end does it."
    )


def _schedule_json(opened: Opened, entry: RecurringRun) -> dict[str, Any]:
    return {
        "recurring_run_id": entry.id,
        "name": entry.name,
        "key": entry.key,
        "cron": entry.trigger.cron,
        "interval": entry.trigger.interval,
        "start_time": entry.trigger.start_time,
        "end_time": entry.trigger.end_time,
        "enabled": entry.enabled,
        "max_concurrency": entry.max_concurrency,
        "catchup": entry.catchup,
        "pipeline_id": entry.pipeline_id,
        "version_id": entry.version_id,
        "experiment_id": entry.experiment_id,
        "parameters": dict(entry.parameters),
        "created_at": entry.created_at,
        "link": opened.client.address.schedule_link(entry.id),
    }


def _when(trigger: Any) -> str:
    text = trigger.cron if trigger.cron else f"every {trigger.interval} s"
    window = [f"from {trigger.start_time:%Y-%m-%d %H:%M %Z}"] if trigger.start_time else []
    window += [f"until {trigger.end_time:%Y-%m-%d %H:%M %Z}"] if trigger.end_time else []
    return " ".join([text, *window])
