"""``kedro kubeflow status``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.run_facts import print_run, run_json
from kedro_kubeflow.cli.server_project import open_server


@click.command("status")
@click.argument("run")
@env_option
@output_option
@exits
def status(run: str, env: str | None, output: Output) -> None:
    """The state of a run and of its steps. RUN is its id, or the link that opens it."""
    from kedro_kubeflow.app.runs import get_run

    client = open_server(env).client
    found = get_run(client, run)
    link = client.address.run_link(found.id)
    if output == "json":
        print_json(run_json(found, link))
    else:
        print_run(found, link)
