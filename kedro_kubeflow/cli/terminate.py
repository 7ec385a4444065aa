"""``kedro kubeflow terminate``."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.mlflow_end import closed
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.run_output import run_json
from kedro_kubeflow.errors import WaitTimeout

if TYPE_CHECKING:
    from kedro_kubeflow.targets.base.run import Run
    from kedro_kubeflow.targets.base.target import Target

_SECONDS = 120.0
"""For how long its end is waited for: the exit task begins some 10 s after the steps are gone, and takes 20 s and more."""


@click.command("terminate")
@click.argument("run")
@click.option(
    "--wait/--no-wait",
    default=True,
    help="Wait for the end of a run that has an exit task, and see to its MLflow run if that does not; two minutes at most.",
)
@env_option
@target_option
@output_option
@exits
def terminate(run: str, wait: bool, env: str | None, target: str | None, output: Output) -> None:
    """End a run. RUN is its id, or the link that opens it."""
    from kedro_kubeflow.targets.base.registry import open_target

    opened = open_target(target, env=env, run=run)
    ended = opened.terminate(opened.run_id(run))
    if opened.can("repair") and (ended.ended or (wait and ended.exit_task)):
        ended = _end(opened, ended)
    ended, said = closed(opened, ended)
    if output == "json":
        print_json(run_json(opened, ended, mlflow_end=said))
    else:
        click.echo(f"{ended.name}: {ended.state}\n{opened.link(ended.id)}")


def _end(target: Target, run: Run) -> Run:
    """The run as it has ended; as it was last seen, where that takes too long or Ctrl-C ends the waiting."""
    if not run.ended:
        click.echo(f"{run.state}: waiting for its exit task (Ctrl-C ends the waiting, not the run's end).", err=True)
    seen = run
    with suppress(WaitTimeout, KeyboardInterrupt):
        for now in target.wait(run.id, timeout=_SECONDS):
            seen = now
    if not seen.ended:
        way = target.command("status", run.id)
        click.echo(f"It has not ended yet; its end is told, and its MLflow run closed, by: {way}", err=True)
    return seen
