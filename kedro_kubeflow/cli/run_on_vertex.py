"""``run-once`` on Vertex AI Pipelines: start, say so, wait, and tell how it ended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from kedro_kubeflow.cli.jobs_on_vertex import job_json
from kedro_kubeflow.cli.output import Output, print_json
from kedro_kubeflow.cli.run_facts import print_run
from kedro_kubeflow.cli.server_project import INTERRUPTED, interruptible
from kedro_kubeflow.errors import KedroKubeflowError, RunFailed

if TYPE_CHECKING:
    from kedro_kubeflow.cli.run_on_server import ServerRunOptions
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.targets.vertexai.client import VertexClient
    from kedro_kubeflow.targets.vertexai.jobs import Job

_MAYBE = "Interrupted while the job was being started: look with `kedro kubeflow list-pipelines` whether it has."


def run_on_vertex(prepared: Prepared, options: ServerRunOptions, output: Output) -> None:
    """Start a job; with waiting, until its end.

    Raises:
        RunFailed: it ended, and not with success.
        KedroKubeflowError: it was not started, or could no longer be watched.
        SystemExit: 130 after Ctrl-C.
    """
    from kedro_kubeflow.targets.vertexai.client import VertexClient
    from kedro_kubeflow.targets.vertexai.operations import run_once, section

    _refuse(options)
    vertexai = section(
        prepared.config, service_account=options.service_account, experiment_name=options.experiment_name
    )
    with interruptible(_MAYBE):
        started = run_once(prepared, vertexai, run_name=options.run_name)
    filed = f" in the experiment {started.experiment!r}" if started.experiment else ""
    click.echo(f"Job {started.job.name!r} ({started.job.id}){filed}", err=True)
    click.echo(started.job.link, err=True)
    configured, asked = prepared.config.run_config.wait_for_completion, options.wait_for_completion
    if configured if asked is None else asked:
        _follow(VertexClient(vertexai), started.job.id, options, output)
    elif output == "json":
        print_json(job_json(started.job))
    else:
        click.echo(started.job.id)


def _refuse(options: ServerRunOptions) -> None:
    for name, why in (
        ("from_version", "no pipelines are uploaded there"),
        ("experiment_namespace", "there are no namespaces there"),
    ):
        if getattr(options, name):
            raise click.UsageError(f"--{name.replace('_', '-')} is not for Vertex AI: {why}.")


def _follow(client: VertexClient, job_id: str, options: ServerRunOptions, output: Output) -> None:
    try:
        job = _watch(client, job_id, options.timeout)
    except KeyboardInterrupt:
        _interrupted(client, job_id, terminate=options.terminate_on_interrupt)
        sys.exit(INTERRUPTED)
    if output == "json":
        print_json(job_json(job))
    else:
        print_run(job, job.link)
    if not job.succeeded:
        raise _failure(client, job)


def _watch(client: VertexClient, job_id: str, timeout: float | None) -> Job:
    from rich.console import Console

    from kedro_kubeflow.cli.run_view import RunView
    from kedro_kubeflow.targets.vertexai.waiting import Pace

    view = RunView(Console(file=sys.stderr, soft_wrap=True))
    with view.showing():
        for job in client.wait(job_id, Pace(timeout=timeout)).looks():
            view.show(job)
    return job


def _interrupted(client: VertexClient, job_id: str, *, terminate: bool) -> None:
    link = client.config.job_link(job_id)
    click.echo("", err=True)
    if not terminate:
        click.echo(f"Interrupted. The job goes on: {link}", err=True)
        click.echo(f"To end it: kedro kubeflow terminate {job_id} --target vertexai", err=True)
        return
    try:
        client.jobs.cancel(job_id)
    except KedroKubeflowError as error:
        click.echo(f"Interrupted, but the job could not be ended and goes on: {error}", err=True)
    else:
        click.echo(f"Interrupted. The job is being ended: {link}", err=True)


def _failure(client: VertexClient, job: Job) -> RunFailed:
    """The error for a job that ended badly, with the way to the logs of the steps that failed."""
    if job.canceled:
        return RunFailed("The job was canceled", where=job.link)
    steps = job.failed_steps
    names = ", ".join(repr(step.title) for step in steps)
    errors = "; ".join(filter(None, (job.error, *(step.error for step in steps))))
    what = f"The job ended {job.state}" + (f" in {names}" if names else "") + (f": {errors}" if errors else "")
    logs = [
        f'gcloud logging read \'resource.type="ml_job" resource.labels.job_id="{step.custom_job}"\' '
        f"--project {client.config.project_id} --order asc --format 'value(jsonPayload.message)'"
        for step in steps
        if step.custom_job
    ]
    return RunFailed(what, where=job.link, cure="its log: " + "; ".join(logs) if logs else None)
