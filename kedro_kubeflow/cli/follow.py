"""Waiting for a run: live progress, how it ended, and what is known of the steps that failed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kedro_kubeflow.cli.interrupt import INTERRUPTED
from kedro_kubeflow.cli.length_of_time import LengthOfTime
from kedro_kubeflow.cli.mlflow_end import closed
from kedro_kubeflow.cli.output import Output, print_json
from kedro_kubeflow.cli.run_output import print_run, run_json
from kedro_kubeflow.errors import KedroKubeflowError, RunFailed

if TYPE_CHECKING:
    from kedro_kubeflow.targets.base.run import Run, Step
    from kedro_kubeflow.targets.base.target import Target

F = TypeVar("F", bound=Callable[..., Any])

_TAIL = 25


@dataclass(frozen=True, kw_only=True)
class WaitOptions:
    """Whether and how a run is waited for.

    Attributes:
        wait_for_completion: None is what kubeflow.yml says.
        timeout, pending_timeout: in seconds.
    """

    wait_for_completion: bool | None = None
    timeout: float | None = None
    pending_timeout: float | None = None
    terminate_on_interrupt: bool = False

    @classmethod
    def take(cls, options: dict[str, Any]) -> WaitOptions:
        """Take them out of a command's options."""
        return cls(**{name: options.pop(name) for name in cls.__dataclass_fields__})


def wait_options(command: F) -> F:
    """``--wait-for-completion`` and what belongs to it."""
    for option in (
        click.option(
            "--terminate-on-interrupt", is_flag=True, help="Ctrl-C while waiting ends the run; without it, it goes on."
        ),
        click.option(
            "--pending-timeout",
            type=LengthOfTime(),
            metavar="SECONDS",
            help="How long a step's pod may wait for its image, a node or a secret; then it is said why, and the run goes on.",
        ),
        click.option(
            "--timeout", type=LengthOfTime(), metavar="SECONDS", help="How long to wait; `5m` and the like go too."
        ),
        click.option(
            "--wait-for-completion/--no-wait",
            default=None,
            help="Wait for the run's end; run_config.wait_for_completion.",
        ),
    ):
        command = option(command)
    return command


def follow(target: Target, run_id: str, how: WaitOptions, output: Output) -> None:
    """Wait for a run with live progress, and print how it ended.

    Raises:
        RunFailed: not with success.
        WaitTimeout, AuthError, ServerError: it could not be watched to its end; it goes on.
        SystemExit: 130 after Ctrl-C.
    """
    try:
        run = _watch(target, run_id, how)
    except KeyboardInterrupt:
        _interrupted(target, run_id, terminate=how.terminate_on_interrupt)
        sys.exit(INTERRUPTED)
    run, said = closed(target, run)
    if output == "json":
        print_json(run_json(target, run, mlflow_end=said))
    else:
        print_run(target, run)
    if not run.succeeded:
        raise _failure(target, run)


def _watch(target: Target, run_id: str, how: WaitOptions) -> Run:
    from rich.console import Console

    from kedro_kubeflow.cli.run_view import RunView

    view = RunView(Console(file=sys.stderr, soft_wrap=True))
    with view.showing():
        for run in target.wait(run_id, timeout=how.timeout, pending_timeout=how.pending_timeout):
            view.show(run)
    return run


def _interrupted(target: Target, run_id: str, *, terminate: bool) -> None:
    noun, link = target.noun, target.link(run_id)
    click.echo("", err=True)
    if not terminate:
        click.echo(f"Interrupted. The {noun} goes on: {link}", err=True)
        click.echo(f"To end it: {target.command('terminate', run_id)}", err=True)
        return
    try:
        target.terminate(run_id)
    except KedroKubeflowError as error:
        click.echo(f"Interrupted, but the {noun} could not be ended and goes on: {error}", err=True)
    else:
        click.echo(f"Interrupted. The {noun} is being ended: {link}", err=True)


def _failure(target: Target, run: Run) -> RunFailed:
    """The error for a run that ended badly, with what is known of the step that failed."""
    noun, link = target.noun, target.link(run.id)
    if run.canceled:
        return RunFailed(f"The {noun} was canceled", where=link)
    steps = run.failed_steps
    if target.can("logs"):
        for step in steps:
            _print_log_tail(target, run, step)
    names = ", ".join(repr(step.display_name) for step in steps)
    errors = "; ".join(dict.fromkeys(filter(None, (run.error, *(step.error for step in steps)))))
    what = f"The {noun} ended {run.state}" + (f" in {names}" if names else "") + (f": {errors}" if errors else "")
    return RunFailed(what, where=link, cure=_how_to_go_on(target, run))


def _how_to_go_on(target: Target, run: Run) -> str | None:
    if target.can("logs"):
        ways = [f"{target.command('logs', run.id)} {step.name}" for step in run.failed_steps]
    else:
        elsewhere = [way for step in run.failed_steps if (way := target.how_to_read_log(run, step))]
        ways = ["its log: " + "; ".join(elsewhere)] if elsewhere else []
    if target.can("retry"):
        ways.append(f"if the cause lay outside of the pipeline: {target.command('retry', run.id)}")
    return "; ".join(ways) or None


def _print_log_tail(target: Target, run: Run, step: Step) -> None:
    try:
        lines = target.log_tail(run, step, _TAIL)
    except KedroKubeflowError as error:
        # The failure itself is told next.
        click.echo(f"The log of {step.display_name!r} cannot be shown: {error.what}", err=True)
        click.echo(f"To read it: {target.how_to_read_log(run, step)}", err=True)
        return
    click.secho(f"The end of the log of {step.display_name!r}:", bold=True, err=True)
    for line in lines:
        click.echo(f"  {line}", err=True)
