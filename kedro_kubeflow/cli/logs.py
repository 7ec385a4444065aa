"""``kedro kubeflow logs``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.server_project import open_server


@click.command("logs")
@click.argument("run")
@click.argument("step", required=False)
@env_option
@output_option
@exits
def logs(run: str, step: str | None, env: str | None, output: Output) -> None:
    """The log of a run's steps, or of one STEP, where the server gives it.

    RUN is its id, or the link that opens it; STEP the name of the step in Kedro or on the server.
    """
    from kedro_kubeflow.targets.kubeflow.run_operations import read_logs

    texts = read_logs(open_server(env).client, run, step)
    if output == "json":
        print_json(texts)
        return
    for name, text in texts.items():
        if not step:
            click.secho(f"--- {name}", bold=True)
        click.echo(text, nl=not text.endswith("\n"))
    if not texts:
        click.echo("No step of the run has begun.", err=True)
