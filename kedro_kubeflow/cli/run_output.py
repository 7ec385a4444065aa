"""A run as JSON, and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kedro_kubeflow.cli.output import cell, duration, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kedro_kubeflow.targets.base.run import Run, Step
    from kedro_kubeflow.targets.base.target import Target


def run_json(target: Target, run: Run, *, steps: bool = True, mlflow_end: str | None = None) -> dict[str, Any]:
    """A run for programs.

    Args:
        mlflow_end: what was said of its MLflow run's end, where the exit task has not seen to that.
    """
    facts = {
        "run_id": run.id,
        "name": run.name,
        "state": run.state,
        "canceled": run.canceled,
        "link": target.link(run.id),
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "parameters": dict(run.parameters),
        "error": run.error,
        "reason": run.reason,
        "mlflow": dict(run.mlflow),
        "folder": str(run.folder) if run.folder else None,
        **run.details(),
    }
    if not steps:
        return facts
    return {**facts, "mlflow_end": mlflow_end, "steps": [step_json(step) for step in run.steps]}


def step_json(step: Step) -> dict[str, Any]:
    """A step for programs."""
    return {
        "name": step.name,
        "step": step.display_name,
        "state": step.state,
        "started_at": step.started_at,
        "finished_at": step.finished_at,
        "error": step.error,
        "reason": step.reason,
        "outputs": dict(step.outputs),
        "log": str(step.log) if step.log else None,
        **step.details(),
    }


def print_run(target: Target, run: Run) -> None:
    """A run for people."""
    click.echo(f"{run.name}: {run.state}, {duration(run.created_at, run.finished_at)} since {cell(run.created_at)}")
    if run.error:
        click.echo(f"error: {run.error}")
    if run.reason:
        click.echo(f"it waits: {run.reason}")
    rows = [
        [s.display_name, s.state, duration(s.started_at, s.finished_at) if s.started_at else "", _first(s)]
        for s in run.steps
    ]
    columns = ["STEP", "STATE", "TIME", "ERROR"]
    if not any(step.error or step.reason for step in run.steps):
        rows, columns = [row[:-1] for row in rows], columns[:-1]
    if rows:
        print_table(columns, rows, empty="")
    for step in run.steps:
        if step.state == "FAILED" and step.error and "\n" in step.error.strip():
            click.secho(f"{step.display_name}:", bold=True)
            click.echo("".join(f"  {line}\n" for line in step.error.strip().splitlines()), nl=False)
    click.echo(target.link(run.id))


def print_runs(runs: Sequence[Run], *, empty: str) -> None:
    """Runs for people, a line each."""
    rows = [(r.name, r.state, r.created_at, duration(r.created_at, r.finished_at), r.id) for r in runs]
    print_table(["NAME", "STATE", "STARTED", "TIME", "ID"], rows, empty=empty)


def _first(step: Step) -> str:
    """The first line of what is known; the others come below the table."""
    return (step.error or step.reason or "").strip().partition("\n")[0]
