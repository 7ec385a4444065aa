"""A run on the server as JSON, and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import click

from kedro_kubeflow.cli.output import cell, duration, print_table

if TYPE_CHECKING:
    from kedro_kubeflow.targets.kubeflow.runs import Run
    from kedro_kubeflow.targets.kubeflow.steps import Step
    from kedro_kubeflow.targets.vertexai.jobs import Job
    from kedro_kubeflow.targets.vertexai.steps import Step as JobStep

    # A run of Kubeflow Pipelines, or a job of Vertex AI Pipelines, which is shown alike.
    AnyRun: TypeAlias = Run | Job
    AnyStep: TypeAlias = Step | JobStep


def run_json(run: Run, link: str, *, steps: bool = True) -> dict[str, Any]:
    """A run for programs."""
    facts = {
        "run_id": run.id,
        "name": run.name,
        "state": run.state,
        "canceled": run.canceled,
        "link": link,
        "created_at": run.created_at,
        "finished_at": run.finished_at,
        "experiment_id": run.experiment_id,
        "pipeline_id": run.pipeline_id,
        "version_id": run.version_id,
        "recurring_run_id": run.recurring_run_id,
        "parameters": dict(run.parameters),
        "error": run.error,
    }
    return {**facts, "steps": [step_json(step) for step in run.steps]} if steps else facts


def step_json(step: AnyStep) -> dict[str, Any]:
    """A step for programs."""
    return {
        "name": step.name,
        "step": step.title,
        "state": step.state,
        "started_at": step.started_at,
        "finished_at": step.finished_at,
        "error": step.error,
    }


def print_run(run: AnyRun, link: str) -> None:
    """A run for people."""
    click.echo(f"{run.name}: {run.state}, {duration(run.created_at, run.finished_at)} since {cell(run.created_at)}")
    if run.error:
        click.echo(f"error: {run.error}")
    rows = [
        [s.title, s.state, duration(s.started_at, s.finished_at) if s.started_at else "", _first(s.error)]
        for s in run.steps
    ]
    columns = ["STEP", "STATE", "TIME", "ERROR"]
    if not any(step.error for step in run.steps):
        rows, columns = [row[:-1] for row in rows], columns[:-1]
    if rows:
        print_table(columns, rows, empty="")
    for step in run.steps:
        if step.state == "FAILED" and step.error and "\n" in step.error.strip():
            click.secho(f"{step.title}:", bold=True)
            click.echo("".join(f"  {line}\n" for line in step.error.strip().splitlines()), nl=False)
    click.echo(link)


def _first(text: str | None) -> str:
    """The first line of what is told; the others come below the table."""
    return (text or "").strip().partition("\n")[0]
