"""``kedro kubeflow status``."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.mlflow_end import closed, repaired
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.run_output import print_run, run_json
from kedro_kubeflow.errors import ConfigError, RunFailed

if TYPE_CHECKING:
    from kedro_kubeflow.targets.base.run import Run
    from kedro_kubeflow.targets.base.target import Target


@click.command("status")
@click.argument("run")
@click.option(
    "--timeline",
    is_flag=False,
    flag_value="-",
    metavar="[FILE.html]",
    help="How the run spent its time: bars in the terminal, or a page that needs no network.",
)
@env_option
@target_option
@output_option
@click.option(
    "--repair",
    is_flag=True,
    help="Give the MLflow run the status that the run has, also where it says another.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 1 if the run has ended, and not with success.")
@exits
def status(
    run: str,
    timeline: str | None,
    env: str | None,
    target: str | None,
    output: Output,
    repair: bool,
    exit_code: bool,
) -> None:
    """The state of a run and of its steps. RUN is its id, or the link that opens it, or latest."""
    from kedro_kubeflow.targets.base.registry import open_run

    opened, run_id = open_run(run, target, env=env)
    found = opened.get(run_id)
    found, said = repaired(opened, found) if repair else closed(opened, found)
    if timeline is not None:
        _show_timeline(opened, found, timeline, output)
    elif output == "json":
        print_json(run_json(opened, found, mlflow_end=said))
    else:
        print_run(opened, found)
    if exit_code and found.ended and not found.succeeded:
        sys.exit(RunFailed.exit_code)


def _show_timeline(target: Target, run: Run, where: str, output: Output) -> None:
    from kedro_kubeflow.cli.timeline import print_timeline
    from kedro_kubeflow.cli.timeline_page import page
    from kedro_kubeflow.targets.base.timeline import timeline

    made = timeline(run, target.times(run), kind=target.kind_of_steps(run))
    if where != "-":
        try:
            Path(where).write_text(page(made), "utf-8")
        except OSError as error:
            raise ConfigError(f"The page cannot be written: {error.strerror}", where=where) from error
        click.echo(f"{where}: how {run.name} spent its time")
    elif output == "json":
        print_json(asdict(made))
    else:
        print_timeline(made)
