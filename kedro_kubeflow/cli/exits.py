"""The one place where an error becomes a message and an exit code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import click

from kedro_kubeflow.errors import KedroKubeflowError

P = ParamSpec("P")
R = TypeVar("R")


class CommandError(click.ClickException):
    """An error of ours, as click shows it."""

    def __init__(self, error: KedroKubeflowError) -> None:
        super().__init__(str(error))
        # click declares it for the class; each of our errors has its own.
        setattr(self, "exit_code", error.exit_code)  # noqa: B010

    def show(self, file: Any = None) -> None:  # noqa: ARG002 - click's signature
        """Print it to standard error."""
        click.secho("Error: ", nl=False, fg="red", bold=True, err=True)
        click.echo(self.message, err=True)


def exits(command: Callable[P, R]) -> Callable[P, R]:
    """Let a command raise our errors; anything else is a defect and keeps its traceback."""

    @functools.wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except KedroKubeflowError as error:
            raise CommandError(error) from error

    return guarded
