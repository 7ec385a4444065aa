"""``kedro kubeflow runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.jobs_on_vertex import list_jobs
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, duration, output_option, print_json, print_table
from kedro_kubeflow.cli.run_facts import run_json
from kedro_kubeflow.cli.server_project import open_server

if TYPE_CHECKING:
    from kedro_kubeflow.project.target import Target


@click.command("runs")
@env_option
@target_option
@click.option("-p", "--pipeline", metavar="NAME", help="Only runs of the uploaded versions of this pipeline.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@output_option
@exits
def runs(env: str | None, target: Target | None, pipeline: str | None, limit: int, output: Output) -> None:
    """The latest runs and their states."""
    from kedro_kubeflow.project.target import target_of
    from kedro_kubeflow.targets.kubeflow.run_operations import list_runs

    if target_of(env, target) == "vertexai":
        list_jobs(env, output, pipeline=pipeline, limit=limit)
        return
    opened = open_server(env)
    name = opened.here.pipeline(pipeline) if pipeline else None
    listed = list_runs(opened.client, limit=limit, pipeline=name, namespace=opened.namespace)
    if output == "json":
        print_json([run_json(r, opened.client.address.run_link(r.id), steps=False) for r in listed])
        return
    rows = [(r.name, r.state, r.created_at, duration(r.created_at, r.finished_at), r.id) for r in listed]
    print_table(["NAME", "STATE", "STARTED", "TIME", "ID"], rows, empty="There are no runs.")
