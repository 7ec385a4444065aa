"""``schedule`` on Vertex AI Pipelines: what is scheduled there is the pipeline itself, compiled now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from kedro_kubeflow.cli.output import Output, print_json, print_table
from kedro_kubeflow.cli.schedule import Mode, asked_name, wanted_schedules

if TYPE_CHECKING:
    from kedro_kubeflow.targets.vertexai.client import VertexClient
    from kedro_kubeflow.targets.vertexai.operations import ScheduleChange, VertexProject
    from kedro_kubeflow.targets.vertexai.schedules import Schedule, ScheduleRequest, Trigger


def schedule_on_vertex(mode: Mode, options: dict[str, Any], output: Output) -> None:
    """List, delete or make schedules.

    Args:
        options: those of the command; taken out.

    Raises:
        KedroKubeflowError: and what was done before is told.
    """
    from kedro_kubeflow.targets.vertexai.operations import open_for_vertex

    if options.pop("experiment_namespace"):
        raise click.UsageError("--experiment-namespace is not for Vertex AI: there are no namespaces there.")
    here = open_for_vertex(options["env"])
    if mode.listing:
        _list(here.client, output)
    elif mode.deleting:
        _delete(here, options, output, dry_run=mode.dry_run)
    else:
        _make(here, options, output, dry_run=mode.dry_run)


def _make(here: VertexProject, options: dict[str, Any], output: Output, *, dry_run: bool) -> None:
    from kedro_kubeflow.targets.vertexai.operations import apply, plan

    # All of them are compiled and checked before any of them is made.
    plans = [(client, plan(client, request)) for client, request in list(_requests(here, options))]
    done: list[ScheduleChange] = []
    try:
        for client, change in plans:
            done.append(change if dry_run or change.action == "none" else apply(client, change))
            if output == "text":
                _say(done[-1], dry_run=dry_run)
    finally:
        if output == "json":
            print_json([_change_json(change) for change in done])


def _requests(here: VertexProject, options: dict[str, Any]) -> Iterator[tuple[VertexClient, ScheduleRequest]]:
    from kedro_kubeflow.prepared import prepare
    from kedro_kubeflow.request import Request
    from kedro_kubeflow.targets.vertexai.client import VertexClient
    from kedro_kubeflow.targets.vertexai.operations import schedule_request, section

    for name, config in wanted_schedules(here.config, options).items():
        is_job = name in here.config.jobs
        request = Request(
            env=options["env"],
            pipelines=() if is_job else (name,),
            job=name if is_job else None,
            image=options["image"],
            parameters=config.params,
            target="vertexai",
        )
        vertexai = section(here.config, service_account=config.service_account)
        yield VertexClient(vertexai), schedule_request(prepare(request), config, vertexai, name=options["name"])


def _say(change: ScheduleChange, *, dry_run: bool) -> None:
    when, would = _when(change.request.trigger), "would be " if dry_run else ""
    if change.action == "none":
        click.echo(f"{change.key}: unchanged ({when})")
        return
    click.echo(f"{change.key}: {would}{'replaced' if change.action == 'replace' else 'created'} ({when})")
    for old in change.replaced:
        click.echo(f"  {would}deleted: {old.id} ({_when(old.trigger)})")
    if change.schedule and not dry_run:
        click.echo(f"  {change.schedule.link}")


def _change_json(change: ScheduleChange) -> dict[str, Any]:
    made = change.schedule
    return {
        "action": change.action,
        "key": change.key,
        "name": change.request.name,
        **_trigger_json(change.request.trigger),
        "enabled": change.request.enabled,
        "schedule_id": made.id if made else None,
        "link": made.link if made else None,
        "replaced": [old.id for old in change.replaced],
    }


def _trigger_json(trigger: Trigger) -> dict[str, Any]:
    return {
        "cron": trigger.cron,
        "start_time": trigger.start_time,
        "end_time": trigger.end_time,
        "max_run_count": trigger.count,
        "max_concurrent_run_count": trigger.concurrency,
        "allow_queueing": trigger.queueing,
    }


def _list(client: VertexClient, output: Output) -> None:
    from kedro_kubeflow.targets.vertexai.operations import list_schedules

    listed = list_schedules(client)
    if output == "json":
        print_json([_schedule_json(entry) for entry in listed])
        return
    rows = [(s.name, s.key, _when(s.trigger), s.state, s.next_run_at, s.id) for s in listed]
    columns = ["NAME", "KEY", "WHEN", "STATE", "NEXT", "ID"]
    print_table(columns, rows, empty="There are no schedules in the region.")


def _delete(here: VertexProject, options: dict[str, Any], output: Output, *, dry_run: bool) -> None:
    from kedro_kubeflow.targets.vertexai.operations import delete, list_schedules

    prefix = here.pipeline(asked_name(here.config, options)) + "/"
    key = prefix + options["name"]
    client = here.client
    listed = list_schedules(client)
    gone = [s for s in listed if s.key == key or (options["every"] and (s.key or "").startswith(prefix))]
    if not dry_run:
        delete(client, gone)
    if output == "json":
        print_json([_schedule_json(entry) for entry in gone])
        return
    for entry in gone:
        click.echo(f"{entry.key}: {'would be ' if dry_run else ''}deleted ({entry.id})")
    if not gone:
        click.echo(f"{key}: there is no such schedule", err=True)


def _schedule_json(entry: Schedule) -> dict[str, Any]:
    return {
        "schedule_id": entry.id,
        "name": entry.name,
        "key": entry.key,
        "state": entry.state,
        **_trigger_json(entry.trigger),
        "created_at": entry.created_at,
        "next_run_at": entry.next_run_at,
        "labels": dict(entry.labels),
        "link": entry.link,
    }


def _when(trigger: Trigger) -> str:
    window = [f"from {trigger.start_time:%Y-%m-%d %H:%M %Z}"] if trigger.start_time else []
    window += [f"until {trigger.end_time:%Y-%m-%d %H:%M %Z}"] if trigger.end_time else []
    return " ".join([trigger.cron, *window])
