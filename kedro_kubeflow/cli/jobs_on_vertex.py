"""Jobs of Vertex AI Pipelines, as commands show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kedro_kubeflow.cli.output import Output, duration, print_json, print_table
from kedro_kubeflow.cli.run_facts import print_run, step_json

if TYPE_CHECKING:
    from kedro_kubeflow.targets.vertexai.jobs import Job


def job_json(job: Job, *, steps: bool = True) -> dict[str, Any]:
    """A job for programs."""
    facts = {
        "job_id": job.id,
        "name": job.name,
        "state": job.state,
        "canceled": job.canceled,
        "link": job.link,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "labels": dict(job.labels),
        "schedule": job.schedule,
        "error": job.error,
    }
    return {**facts, "steps": [step_json(step) for step in job.steps]} if steps else facts


def list_jobs(env: str | None, output: Output, *, pipeline: str | None = None, limit: int = 20) -> None:
    """The latest jobs; only those of one of the project's pipelines, where it is named."""
    from kedro_kubeflow.targets.vertexai.operations import list_jobs as listed
    from kedro_kubeflow.targets.vertexai.operations import open_for_vertex

    here = open_for_vertex(env)
    jobs = listed(here.client, limit=limit, pipeline=here.pipeline(pipeline) if pipeline else None)
    if output == "json":
        print_json([job_json(job, steps=False) for job in jobs])
        return
    rows = [(j.name, j.state, j.created_at, duration(j.created_at, j.finished_at), j.id) for j in jobs]
    print_table(["NAME", "STATE", "STARTED", "TIME", "ID"], rows, empty="There are no jobs in the region.")


def show_job(env: str | None, job: str, output: Output) -> None:
    """A job and its steps."""
    from kedro_kubeflow.targets.vertexai.operations import job_id_of, open_for_vertex

    found = open_for_vertex(env).client.jobs.get(job_id_of(job))
    if output == "json":
        print_json(job_json(found))
    else:
        print_run(found, found.link)


def end_job(env: str | None, job: str, output: Output) -> None:
    """End a job; what it is then, which takes Vertex AI a moment."""
    from kedro_kubeflow.targets.vertexai.operations import job_id_of, open_for_vertex

    jobs = open_for_vertex(env).client.jobs
    jobs.cancel(job_id_of(job))
    ended = jobs.get(job_id_of(job))
    if output == "json":
        print_json(job_json(ended))
    else:
        click.echo(f"{ended.name}: {ended.state}")
