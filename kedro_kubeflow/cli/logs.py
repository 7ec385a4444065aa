"""``kedro kubeflow logs``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.interrupt import INTERRUPTED
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json

if TYPE_CHECKING:
    from kedro_kubeflow.targets.base.run import Step


@click.command("logs")
@click.argument("run")
@click.argument("step", required=False)
@click.option("-f", "--follow", is_flag=True, help="Show what is written while it is written.")
@env_option
@target_option
@output_option
@exits
def logs(run: str, step: str | None, follow: bool, env: str | None, target: str | None, output: Output) -> None:
    """The log of a run's steps, or of one STEP, where the target gives it.

    RUN is its id, or the link that opens it, or latest; STEP the name of the step in Kedro or on the server.
    """
    from kedro_kubeflow.targets.base.registry import open_run

    if follow and output == "json":
        raise click.UsageError("--follow prints text as it comes: leave out --output json.")
    opened, run_id = open_run(run, target, env=env)
    if follow:
        _follow(opened.follow_log(run_id, step), named=step is None)
        return
    texts = dict(opened.logs(opened.get(run_id), step))
    if output == "json":
        print_json(texts)
        return
    for name, text in texts.items():
        if not step:
            click.secho(f"--- {name}", bold=True)
        click.echo(text, nl=not text.endswith("\n"))
    if not texts:
        click.echo("No step of the run has begun.", err=True)


def _follow(pieces: Iterable[tuple[Step, str]], *, named: bool) -> None:
    """Print what steps write; a line with the step's name comes before its piece, where another wrote last."""
    last = ""
    try:
        for step, text in pieces:
            if named and step.name != last:
                click.secho(f"--- {step.display_name}", bold=True)
                last = step.name
            click.echo(text, nl=named and not text.endswith("\n"))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
