"""``kedro kubeflow terminate``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.jobs_on_vertex import end_job
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.run_facts import run_json
from kedro_kubeflow.cli.server_project import open_server

if TYPE_CHECKING:
    from kedro_kubeflow.project.target import Target


@click.command("terminate")
@click.argument("run")
@env_option
@target_option
@output_option
@exits
def terminate(run: str, env: str | None, target: Target | None, output: Output) -> None:
    """End a run. RUN is its id, or the link that opens it."""
    from kedro_kubeflow.project.target import target_of
    from kedro_kubeflow.targets.kubeflow.run_operations import terminate as end

    if target_of(env, target) == "vertexai":
        end_job(env, run, output)
        return
    client = open_server(env).client
    ended = end(client, run)
    link = client.address.run_link(ended.id)
    if output == "json":
        print_json(run_json(ended, link))
    else:
        click.echo(f"{ended.name}: {ended.state}\n{link}")
