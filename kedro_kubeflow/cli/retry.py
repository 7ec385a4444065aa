"""``kedro kubeflow retry``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.run_facts import run_json
from kedro_kubeflow.cli.run_on_server import Follow, follow, wait_options
from kedro_kubeflow.cli.server_project import open_server


@click.command("retry")
@click.argument("run")
@env_option
@wait_options
@output_option
@exits
def retry(
    run: str,
    env: str | None,
    wait_for_completion: bool | None,
    timeout: float | None,
    terminate_on_interrupt: bool,
    output: Output,
) -> None:
    """Run again what failed of a run; what succeeded is kept. RUN is its id, or the link that opens it."""
    from kedro_kubeflow.targets.kubeflow.run_operations import retry as run_again

    client = open_server(env).client
    again = run_again(client, run)
    link = client.address.run_link(again.id)
    if wait_for_completion:
        click.echo(link, err=True)
        follow(client, again.id, Follow(timeout, terminate_on_interrupt), output)
    elif output == "json":
        print_json(run_json(again, link))
    else:
        click.echo(f"{again.name}: {again.state}\n{link}")
