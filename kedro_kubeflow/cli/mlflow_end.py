"""The end of a run where its exit task failed or never ran: said, and its MLflow run closed from here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from kedro_kubeflow.contract import EXIT_DONE
from kedro_kubeflow.errors import KedroKubeflowError, RunFailed

if TYPE_CHECKING:
    from kedro_kubeflow.targets.base.run import Run
    from kedro_kubeflow.targets.base.target import Target

_OPEN = "RUNNING"


def closed(target: Target, run: Run) -> tuple[Run, str | None]:
    """A run; if it has ended, and its exit task has not done its work, its MLflow run is closed now.

    Returns:
        The run, and what was said of its end on standard error.
    """
    if not run.ended or not target.can("repair"):
        return run, None
    now, said = _closed(target, run, _what_became(run))
    if said:
        click.echo(said, err=True)
    return now, said


def _closed(target: Target, run: Run, became: str | None) -> tuple[Run, str | None]:
    if became is None:
        return run, None
    way = f"{target.command('status', run.id)} --repair"
    if run.mlflow_silence and _is_sure(run):
        return (
            run,
            f"{became}, and its MLflow run may be left {_OPEN}: {run.mlflow_silence}. Once it can be asked: {way}",
        )
    status = run.mlflow.get("status")
    if status not in (_OPEN, None, run.mlflow_status):
        return run, f"{became}: its MLflow run says {status}. To give it the status of the run: {way}"
    if status != _OPEN:
        return run, f"{became}." if _is_sure(run) else None
    try:
        now = target.repair(run)
    except KedroKubeflowError as error:
        return (
            run,
            f"{became}; its MLflow run {run.mlflow['run_id']} is still {_OPEN}, and could not be closed: {error}",
        )
    status = now.mlflow["status"]
    if status == _OPEN:
        # Somebody else's run: they end it.
        return now, f"{became}." if _is_sure(run) else None
    # What the tags say of the steps is told by the run already.
    return replace(
        run, mlflow=now.mlflow
    ), f"{became}: its MLflow run {now.mlflow['run_id']} was closed from here ({status})."


def _what_became(run: Run) -> str | None:
    """What is to be said of a run's exit task; None where it went well."""
    task = run.exit_task
    if run.steps and all(step.state in ("SKIPPED", "WAITING") for step in run.steps):
        # Nothing has opened an MLflow run, and nothing is left to be done.
        return None
    if task is None:
        # Only a run that has said so itself is closed without one.
        return None if run.succeeded else "The pipeline has no exit task"
    name = f"The exit task {task.display_name!r}"
    if task.state in ("SKIPPED", "WAITING", "CANCELED"):
        return f"{name} never ran"
    if task.state in ("SUCCEEDED", "CACHED") or task.error == EXIT_DONE:
        return None
    return f"{name} failed" if task.state == "FAILED" else f"{name} has not told its end"


def _is_sure(run: Run) -> bool:
    """Whether the exit task is known to have failed, or not to have run; that of a failed run ends with an error in any case."""
    task = run.exit_task
    if task is None or task.state == "UNKNOWN":
        return False
    return task.state != "FAILED" or run.succeeded or bool(task.error)


def repaired(target: Target, run: Run) -> tuple[Run, str]:
    """The run, its MLflow run with the true status, and what was said of it on standard error.

    Raises:
        RunFailed: it has not ended.
        KedroKubeflowError: MLflow cannot be reached, or has no run of it.
    """
    if not run.ended:
        raise RunFailed(f"The run is {run.state}: there is nothing to repair yet", where=target.link(run.id))
    now = target.repair(run)
    said = f"The MLflow run {now.mlflow['run_id']} is {now.mlflow['status']}."
    click.echo(said, err=True)
    return now, said
