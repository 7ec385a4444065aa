"""``kedro kubeflow schedule``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option, image_option, parameter_options, refuse_options, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json, print_table
from kedro_kubeflow.cli.preparation import Preparation
from kedro_kubeflow.cli.schedule_config import asked_name, schedules_of

if TYPE_CHECKING:
    from kedro_kubeflow.config.schedules import ScheduleConfig
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.targets.base.schedule import Retired, Schedule, ScheduleChange, ScheduleRequest, Trigger
    from kedro_kubeflow.targets.base.target import Target


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
    from kedro_kubeflow.targets.base.registry import open_target

    if force and not deleting:
        raise click.UsageError("--force is for --delete: a schedule that is replaced goes when its runs have ended.")
    target = open_target(options.pop("target"), env=options["env"])
    if not target.can("schedules"):
        target.refuse("schedules")
    refuse_options(type(target), {name: options[name] for name in ("image", "experiment_namespace")})
    if listing:
        _list(target, options, output)
    elif deleting:
        _delete(target, options, output, dry_run=dry_run, force=force)
    else:
        _make(target, options, output, dry_run=dry_run)


def _make(target: Target, options: dict[str, Any], output: Output, *, dry_run: bool) -> None:
    # All of them are checked before any of them is made.
    plans = [target.plan_schedule(request) for request in _requests(target, options)]
    done: list[ScheduleChange] = []
    try:
        for change in plans:
            done.append(change if dry_run or change.action == "none" else target.apply_schedule(change))
            if output == "text":
                _say(target, done[-1], dry_run=dry_run)
    finally:
        # Where one of several fails, what was done before it is told all the same.
        if output == "json":
            print_json([_change_json(target, change) for change in done])


def _requests(target: Target, options: dict[str, Any]) -> list[ScheduleRequest]:
    from kedro_kubeflow.targets.base.schedule import ScheduleRequest

    return [
        ScheduleRequest(
            pipeline=name,
            name=options["name"],
            config=config,
            prepared=partial(_prepared, target, name, config, options),
            experiment_namespace=options["experiment_namespace"],
        )
        for name, config in schedules_of(target.config, options).items()
    ]


def _prepared(target: Target, name: str, config: ScheduleConfig, options: dict[str, Any]) -> Prepared:
    from kedro_kubeflow.request import Request

    is_job = name in target.config.jobs
    request = Request(
        env=options["env"],
        pipelines=() if is_job else (name,),
        job=name if is_job else None,
        image=options["image"],
        parameters=config.params,
        target=target.name,
    )
    # Code that travels goes along with every run of the schedule, as it is now.
    return Preparation().prepare(request, target.name)


def _say(target: Target, change: ScheduleChange, *, dry_run: bool) -> None:
    when, would = _when(change.trigger), "would be " if dry_run else ""
    if change.action == "none":
        click.echo(f"{change.key}: unchanged ({when})")
        return
    click.echo(f"{change.key}: {would}{'replaced' if change.action == 'replace' else 'created'} ({when})")
    for gone in change.retired or _would_go(change.replaced):
        old = gone.schedule
        _say_gone(gone, "  {done}: " + f"{old.id} ({_when(old.trigger)})", would)
    if change.schedule and not dry_run:
        click.echo(f"  {target.schedule_link(change.schedule.id)}")


def _change_json(target: Target, change: ScheduleChange) -> dict[str, Any]:
    made = change.schedule
    return {
        "action": change.action,
        "key": change.key,
        "name": change.name,
        **_trigger_json(change.trigger),
        "enabled": change.enabled,
        "schedule_id": made.id if made else None,
        f"{target.schedule_noun}_id": made.id if made else None,
        "link": target.schedule_link(made.id) if made else None,
        "replaced": [old.id for old in change.replaced],
        "left": [gone.schedule.id for gone in change.retired if not gone.deleted],
        **change.details,
    }


def _trigger_json(trigger: Trigger) -> dict[str, Any]:
    return {
        "cron": trigger.cron,
        "interval": trigger.interval,
        "start_time": trigger.start_time,
        "end_time": trigger.end_time,
        **trigger.details(),
    }


def _list(target: Target, options: dict[str, Any], output: Output) -> None:
    listed = target.schedules(namespace=options["experiment_namespace"])
    if output == "json":
        print_json([_schedule_json(target, entry) for entry in listed])
        return
    foretold = any(s.next_run_at for s in listed)
    rows = [
        (s.name, s.key, _when(s.trigger), _state(s), s.next_run_at if foretold else s.created_at, s.id) for s in listed
    ]
    columns = ["NAME", "KEY", "WHEN", "STATE", "NEXT" if foretold else "CREATED", "ID"]
    print_table(columns, rows, empty=f"There are no schedules {target.place}.")


def _delete(target: Target, options: dict[str, Any], output: Output, *, dry_run: bool, force: bool) -> None:
    pipeline = asked_name(target.config, options)
    key, prefix = target.schedule_key(pipeline, options["name"]), target.schedule_key(pipeline)
    listed = target.schedules(namespace=options["experiment_namespace"])
    going = [s for s in listed if s.key == key or (options["every"] and (s.key or "").startswith(prefix))]
    gone = _would_go(going) if dry_run else [target.delete_schedule(schedule, force=force) for schedule in going]
    if output == "json":
        print_json(
            [{**_schedule_json(target, g.schedule), "deleted": g.deleted, "runs": [r.id for r in g.runs]} for g in gone]
        )
        return
    for one in gone:
        _say_gone(one, f"{one.schedule.key}: " + "{done} " + f"({one.schedule.id})", "would be " if dry_run else "")
    if not gone:
        click.echo(f"{key}: there is no such schedule", err=True)


def _would_go(schedules: Iterable[Schedule]) -> list[Retired]:
    from kedro_kubeflow.targets.base.schedule import Retired

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


def _schedule_json(target: Target, entry: Schedule) -> dict[str, Any]:
    return {
        "schedule_id": entry.id,
        f"{target.schedule_noun}_id": entry.id,
        "name": entry.name,
        "key": entry.key,
        **_trigger_json(entry.trigger),
        "enabled": entry.enabled,
        "state": entry.state,
        "created_at": entry.created_at,
        "next_run_at": entry.next_run_at,
        **entry.details(),
        "link": target.schedule_link(entry.id),
    }


def _state(schedule: Schedule) -> str:
    return schedule.state or ("on" if schedule.enabled else "off")


def _when(trigger: Trigger) -> str:
    text = trigger.cron if trigger.cron else f"every {trigger.interval} s"
    window = [f"from {trigger.start_time:%Y-%m-%d %H:%M %Z}"] if trigger.start_time else []
    window += [f"until {trigger.end_time:%Y-%m-%d %H:%M %Z}"] if trigger.end_time else []
    return " ".join([text, *window])
