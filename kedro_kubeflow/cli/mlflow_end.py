"""The end of a run in MLflow: told, or mended, where the exit task failed or never ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kedro_kubeflow.errors import KedroKubeflowError, RunFailed

if TYPE_CHECKING:
    from kedro_kubeflow.targets.base.run import Run
    from kedro_kubeflow.targets.base.target import Target

_OPEN = "RUNNING"


def is_unclosed(target: Target, run: Run) -> bool:
    """Whether a run has ended, and MLflow says that it runs."""
    return run.ended and run.mlflow.get("status") == _OPEN and target.can("repair")


def tell_unclosed(target: Target, run: Run) -> None:
    """Say that the MLflow run of a run that has ended is still open, and what closes it."""
    if is_unclosed(target, run):
        click.echo(
            f"The MLflow run {run.mlflow['run_id']} is still RUNNING: the task at the run's end failed, or never ran. "
            f"To close it: {target.command('status', run.id)} --repair",
            err=True,
        )


def closed(target: Target, run: Run) -> Run:
    """The run that was waited for; its MLflow run is closed now, if the exit task could not."""
    if not is_unclosed(target, run):
        return run
    try:
        now = target.repair(run)
    except KedroKubeflowError as error:
        click.echo(
            f"The MLflow run {run.mlflow['run_id']} is still RUNNING, and could not be closed: {error}", err=True
        )
        return run
    if now.mlflow.get("status") != _OPEN:
        text = f"The task at the run's end failed, or never ran: the MLflow run {now.mlflow['run_id']} was closed from here"
        click.echo(f"{text} ({now.mlflow['status']}).", err=True)
    return now


def repaired(target: Target, run: Run) -> Run:
    """The run, its MLflow run with the true status.

    Raises:
        RunFailed: it has not ended.
        KedroKubeflowError: MLflow cannot be reached, or has no run of it.
    """
    if not run.ended:
        raise RunFailed(f"The run is {run.state}: there is nothing to repair yet", where=target.link(run.id))
    now = target.repair(run)
    click.echo(f"The MLflow run {now.mlflow['run_id']} is {now.mlflow['status']}.", err=True)
    return now
