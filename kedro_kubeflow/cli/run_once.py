"""``kedro kubeflow run-once``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.follow import WaitOptions, follow, wait_options
from kedro_kubeflow.cli.interrupt import INTERRUPTED, interruptible
from kedro_kubeflow.cli.options import compile_options, refuse_options, request_from
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.preparation import Preparation, build_option, code_option, resume_options
from kedro_kubeflow.cli.run_output import run_json

if TYPE_CHECKING:
    from kedro_kubeflow.prepared import Prepared
    from kedro_kubeflow.request import Request
    from kedro_kubeflow.targets.base.run import Run
    from kedro_kubeflow.targets.base.target import RunOptions, Target

F = TypeVar("F", bound=Callable[..., Any])

LOCAL = "local"
_RUN = ("experiment_name", "experiment_namespace", "run_name", "service_account", "isolated")


def run_options(command: F) -> F:
    """How the run is started."""
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
    return command


@click.command("run-once")
@compile_options
@click.option(
    "--local",
    "runner",
    is_flag=False,
    flag_value="subprocess",
    type=click.Choice(["subprocess", "docker"]),
    help="Run on this machine: each step as a process (the default), or in its image by Docker.",
)
@click.option(
    "--isolated",
    is_flag=True,
    help="With --local: steps share nothing, as pods do. Each works in a copy of what an image would hold.",
)
@resume_options
@code_option
@build_option
@wait_options
@run_options
@output_option
@exits
def run_once(runner: str | None, output: Output, **options: Any) -> None:
    """Run the pipeline once: on Kubeflow Pipelines or Vertex AI Pipelines, or with --local on this machine."""
    from kedro_kubeflow.targets.base.registry import target_class
    from kedro_kubeflow.targets.base.target import RunOptions

    place = LOCAL if runner else options["target"]
    if options["isolated"] and (place != LOCAL or runner == "docker"):
        raise click.UsageError("--isolated is for --local: pods and containers share nothing in any case.")
    version, how, before = options.pop("from_version"), WaitOptions.take(options), Preparation.take(options)
    given = {name: options.pop(name) for name in _RUN}
    asked, chosen = {**vars(how), **given, "from_version": version}, RunOptions(**given, runner=runner)
    if place:
        refuse_options(target_class(place), asked, typed="--local" if runner else None)
    if version:
        _run_version(place, version, chosen, how, options, output)
        return
    with target_class(place).beginning(chosen) if place else nullcontext():
        _run_project(place, chosen, before, how, asked, options, output)


def _run_project(
    place: str | None,
    chosen: RunOptions,
    before: Preparation,
    how: WaitOptions,
    asked: dict[str, Any],
    options: dict[str, Any],
    output: Output,
) -> None:
    """Compile the project and start the run."""
    from kedro_kubeflow.targets.base.registry import target_class

    prepared = _prepare(place, chosen, before, options)
    target = target_class(place or prepared.target)(prepared.project, prepared.config)
    refuse_options(type(target), asked)
    for warning in prepared.plan.warnings:
        click.echo(warning, err=True)
    if target.attached:
        _run_attached(target, prepared, chosen, output)
        return
    with interruptible(_maybe(target)):
        run = target.start(prepared, chosen)
    _started(target, run, how, output)


def _prepare(place: str | None, chosen: RunOptions, before: Preparation, options: dict[str, Any]) -> Prepared:
    from kedro_kubeflow.targets.base.registry import target_class

    kind = target_class(place) if place else None
    request = request_from(options, default_image=kind.default_image(chosen) if kind else None)
    return before.prepare(replace(request, either_target=True) if kind and kind.any_form else request, place)


def _run_version(
    place: str | None, version: str, chosen: RunOptions, how: WaitOptions, options: dict[str, Any], output: Output
) -> None:
    """Start a run of an uploaded version; nothing is compiled."""
    from kedro_kubeflow.targets.base.registry import open_target

    request = request_from(options)
    target = open_target(place, env=request.env)
    refuse_options(type(target), {**vars(how), "from_version": version})
    with interruptible(_maybe(target)):
        run = target.start_version(_asked_name(request, target), version, request.parameters, chosen)
    _started(target, run, how, output)


def _asked_name(request: Request, target: Target) -> str:
    """The registered name of what is asked for, or the name of the job."""
    from kedro_kubeflow.plan.selection import selected

    return selected(request, target.config.jobs).name


def _maybe(target: Target) -> str:
    return f"Interrupted while the {target.noun} was being started: look with `kedro kubeflow runs` whether it has."


def _started(target: Target, run: Run, how: WaitOptions, output: Output) -> None:
    """Say so, and wait for its end where that is asked for."""
    filed = f" in the experiment {run.experiment!r}" if run.experiment else ""
    click.echo(f"{target.noun.capitalize()} {run.name!r} ({run.id}){filed}", err=True)
    click.echo(target.link(run.id), err=True)
    configured, asked = target.config.run_config.wait_for_completion, how.wait_for_completion
    if configured if asked is None else asked:
        follow(target, run.id, how, output)
    elif output == "json":
        print_json(run_json(target, run))
    else:
        click.echo(run.id)


def _run_attached(target: Target, prepared: Prepared, chosen: RunOptions, output: Output) -> None:
    """Run to the end, as the run lasts no longer than this command."""
    from kedro_kubeflow.cli.attached_view import AttachedView, print_summary, stderr_console, summary_json
    from kedro_kubeflow.targets.base.timeline import timeline

    console = stderr_console()
    view = AttachedView(console)
    with view.showing():
        run = target.start(prepared, chosen, on_change=view.changed)
    print_summary(run, console, timeline(run, target.times(run), kind=target.kind_of_steps(run)).advice)
    if output == "json":
        print_json(summary_json(run))
    if not run.succeeded:
        sys.exit(INTERRUPTED if run.canceled else 1)
