"""``run-once`` on Kubeflow Pipelines: start, say so, wait, and tell how it ended."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kedro_kubeflow.cli.options import request_from
from kedro_kubeflow.cli.output import Output, print_json
from kedro_kubeflow.cli.run_facts import print_run, run_json
from kedro_kubeflow.cli.run_on_vertex import run_on_vertex
from kedro_kubeflow.cli.server_project import INTERRUPTED, interruptible
from kedro_kubeflow.errors import KedroKubeflowError, RunFailed

if TYPE_CHECKING:
    from kedro_kubeflow.config.kubeflow import KubeflowConfig
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.request import Request
    from kedro_kubeflow.targets.kubeflow import KubeflowClient
    from kedro_kubeflow.targets.kubeflow.run_operations import RunOptions, Started
    from kedro_kubeflow.targets.kubeflow.runs import Run
    from kedro_kubeflow.targets.kubeflow.steps import Step

F = TypeVar("F", bound=Callable[..., Any])

_TAIL = 25


@dataclass(frozen=True, kw_only=True)
class ServerRunOptions:
    """The options of `run-once` that only a run on the server has; None is what kubeflow.yml says."""

    experiment_name: str | None = None
    experiment_namespace: str | None = None
    run_name: str | None = None
    service_account: str | None = None
    wait_for_completion: bool | None = None
    timeout: float | None = None
    from_version: str | None = None
    terminate_on_interrupt: bool = False

    @classmethod
    def take(cls, options: dict[str, Any]) -> ServerRunOptions:
        """Take them out of a command's options."""
        return cls(**{name: options.pop(name) for name in cls.__dataclass_fields__ if name in options})

    def refuse_with(self, other: str) -> None:
        """None of them goes together with another option.

        Raises:
            click.UsageError: one was given.
        """
        given = [f.name for f in fields(self) if getattr(self, f.name) not in (None, False)]
        if given:
            raise click.UsageError(f"--{given[0].replace('_', '-')} cannot be used together with {other}.")


def wait_options(command: F) -> F:
    """``--wait-for-completion`` and what belongs to it."""
    for option in (
        click.option(
            "--terminate-on-interrupt", is_flag=True, help="Ctrl-C while waiting ends the run; without it, it goes on."
        ),
        click.option("--timeout", type=click.FloatRange(min=0), metavar="SECONDS", help="How long to wait."),
        click.option(
            "--wait-for-completion/--no-wait",
            default=None,
            help="Wait for the run's end; run_config.wait_for_completion.",
        ),
    ):
        command = option(command)
    return command


def server_run_options(command: F) -> F:
    """The options of `ServerRunOptions`."""
    for option in (
        click.option(
            "--from-version",
            metavar="VERSION",
            help="Run an uploaded version: its id, its name, or latest. No compiling.",
        ),
        click.option(
            "--service-account",
            metavar="NAME",
            help="Kubernetes service account of the run; run_config.service_account.",
        ),
        click.option("--run-name", metavar="TEXT", help="Name of the run; {parameter} stands for a value."),
        click.option("--experiment-namespace", metavar="NAME", help="Namespace of the experiment and the run."),
        click.option("--experiment-name", metavar="NAME", help="Experiment; made if it is not there."),
    ):
        command = option(command)
    return wait_options(command)


def run_on_server(options: dict[str, Any], output: Output) -> None:
    """``run-once`` on the server, or on Vertex AI where that is the target.

    Args:
        options: those of `compile_options` and `server_run_options`; taken out.

    Raises:
        RunFailed, KedroKubeflowError, SystemExit: as `run_compiled`.
    """
    from kedro_kubeflow.prepared import prepare

    how, request = ServerRunOptions.take(options), request_from(options)
    if how.from_version and request.target != "vertexai":
        run_version(request, how, output)
        return
    prepared = prepare(request)
    for warning in prepared.plan.warnings:
        click.echo(warning, err=True)
    if prepared.target == "vertexai":
        run_on_vertex(prepared, how, output)
        return
    run_compiled(prepared, how, output)


def run_compiled(prepared: Prepared, options: ServerRunOptions, output: Output) -> None:
    """Start a run of a compiled pipeline; with waiting, until its end.

    Raises:
        RunFailed: it ended, and not with success.
        KedroKubeflowError: it was not started, or could no longer be watched.
        SystemExit: 130 after Ctrl-C.
    """
    from kedro_kubeflow.targets.kubeflow.project_server import connect_to
    from kedro_kubeflow.targets.kubeflow.run_operations import run_once
    from kedro_kubeflow.targets.kubeflow.upload_compiled import with_commit

    client = connect_to(prepared.config, prepared.project)
    how = _how(prepared.config, prepared.project.name, prepared.parameters, options)
    with interruptible(_MAYBE):
        started = run_once(client, with_commit(prepared), how)
    _follow_as_asked(client, started, prepared.config, options, output)


def run_version(request: Request, options: ServerRunOptions, output: Output) -> None:
    """Start a run of an uploaded version (``options.from_version``); nothing is compiled.

    Args:
        request: which pipeline or job, and the Kedro parameters that differ from what the version was compiled with.

    Raises:
        RunFailed, KedroKubeflowError, SystemExit: as `run_compiled`.
    """
    from kedro_kubeflow.cli.server_project import open_server
    from kedro_kubeflow.targets.kubeflow.run_operations import run_from_version

    opened = open_server(request.env)
    here, values = opened.here, {**opened.here.parameters, **request.parameters}
    how = _how(here.config, here.project.name, values, options)
    name, version = here.name_of(request), options.from_version or "latest"
    with interruptible(_MAYBE):
        started = run_from_version(opened.client, name, version, request.parameters, how)
    _follow_as_asked(opened.client, started, here.config, options, output)


_MAYBE = "Interrupted while the run was being started: look with `kedro kubeflow runs` whether it has."


def _how(config: KubeflowConfig, project: str, values: Mapping[str, Any], options: ServerRunOptions) -> RunOptions:
    from kedro_kubeflow.targets.kubeflow.run_operations import RunOptions

    run = config.run_config
    return RunOptions(
        experiment_name=options.experiment_name or run.experiment_name or project,
        experiment_namespace=options.experiment_namespace or config.experiment_namespace,
        run_name=options.run_name or run.run_name,
        values=values,
        service_account=options.service_account or run.service_account,
        description=run.description or "",
    )


def _follow_as_asked(
    client: KubeflowClient, started: Started, config: KubeflowConfig, options: ServerRunOptions, output: Output
) -> None:
    waits = (
        config.run_config.wait_for_completion if options.wait_for_completion is None else options.wait_for_completion
    )
    click.echo(f"Run {started.run.name!r} ({started.run.id}) in the experiment {started.experiment!r}", err=True)
    click.echo(started.link, err=True)
    if waits:
        follow(client, started.run.id, Follow(options.timeout, options.terminate_on_interrupt), output)
    elif output == "json":
        print_json(run_json(started.run, started.link))
    else:
        click.echo(started.run.id)


@dataclass(frozen=True)
class Follow:
    """How a run is waited for."""

    timeout: float | None = None
    terminate_on_interrupt: bool = False


def follow(client: KubeflowClient, run_id: str, how: Follow, output: Output) -> None:
    """Wait for a run with live progress, and print how it ended.

    Raises:
        RunFailed: not with success.
        WaitTimeout, AuthError, ServerError: it could not be watched to its end; it goes on.
        SystemExit: 130 after Ctrl-C.
    """
    try:
        run = _watch(client, run_id, how)
    except KeyboardInterrupt:
        _interrupted(client, run_id, terminate=how.terminate_on_interrupt)
        sys.exit(INTERRUPTED)
    link = client.address.run_link(run_id)
    if output == "json":
        print_json(run_json(run, link))
    else:
        print_run(run, link)
    if not run.succeeded:
        raise _failure(client, run, link)


def _watch(client: KubeflowClient, run_id: str, how: Follow) -> Run:
    from rich.console import Console

    from kedro_kubeflow.cli.run_view import RunView
    from kedro_kubeflow.targets.kubeflow.waiting import Pace

    view = RunView(Console(file=sys.stderr, soft_wrap=True))
    pace = Pace(timeout=how.timeout)
    with view.showing():
        for run in client.wait(run_id, pace).looks():
            view.show(run)
    return run


def _interrupted(client: KubeflowClient, run_id: str, *, terminate: bool) -> None:
    click.echo("", err=True)
    if not terminate:
        click.echo(f"Interrupted. The run goes on: {client.address.run_link(run_id)}", err=True)
        click.echo(f"To end it: kedro kubeflow terminate {run_id}", err=True)
        return
    try:
        client.runs.terminate(run_id)
    except KedroKubeflowError as error:
        click.echo(f"Interrupted, but the run could not be ended and goes on: {error}", err=True)
    else:
        click.echo(f"Interrupted. The run is being ended: {client.address.run_link(run_id)}", err=True)


def _failure(client: KubeflowClient, run: Run, link: str) -> RunFailed:
    """The error for a run that ended badly, with what is known of the step that failed."""
    if run.canceled:
        return RunFailed("The run was canceled", where=link)
    steps = run.failed_steps
    for step in steps:
        _print_log_tail(client, run, step)
    names = ", ".join(repr(step.title) for step in steps)
    errors = "; ".join(dict.fromkeys(filter(None, (run.error, *(step.error for step in steps)))))
    what = f"The run ended {run.state}" + (f" in {names}" if names else "") + (f": {errors}" if errors else "")
    return RunFailed(what, where=link, cure=_how_to_go_on(run, steps))


def _how_to_go_on(run: Run, steps: Iterable[Step]) -> str:
    logs = [f"kedro kubeflow logs {run.id} {step.name}" for step in steps]
    return "; ".join([*logs, f"if the cause lay outside of the pipeline: kedro kubeflow retry {run.id}"])


def _print_log_tail(client: KubeflowClient, run: Run, step: Step) -> None:
    from kedro_kubeflow.targets.kubeflow.logs import tail

    try:
        lines = tail(client.logs.of(run, step), _TAIL)
    except KedroKubeflowError as error:
        # The failure itself is told next.
        click.echo(f"The log of {step.title!r} cannot be shown: {error.what}", err=True)
        click.echo(f"To read it: {client.logs.how_to_read(step)}", err=True)
        return
    click.secho(f"The end of the log of {step.title!r}:", bold=True, err=True)
    for line in lines:
        click.echo(f"  {line}", err=True)
