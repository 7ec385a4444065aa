"""The project and the server that a command works with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kedro_kubeflow.targets.kubeflow import KubeflowClient
    from kedro_kubeflow.targets.kubeflow.project_server import ServerProject


@dataclass(frozen=True)
class Opened:
    """A project and a client of its server."""

    here: ServerProject
    client: KubeflowClient

    @property
    def namespace(self) -> str | None:
        """The namespace of experiments and runs, where it is not that of the pipelines."""
        return self.here.config.experiment_namespace


def open_server(env: str | None) -> Opened:
    """Open the project in the working directory and connect to its server; the client stack is loaded here."""
    from kedro_kubeflow.targets.kubeflow.project_server import connect_to, open_for_server

    here = open_for_server(env)
    return Opened(here, connect_to(here.config, here.project))


@contextlib.contextmanager
def interruptible(message: str) -> Iterator[None]:
    """Ctrl-C leaves with 130, as shells have it, and with a word about what goes on."""
    import sys

    import click

    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\n{message}", err=True)
        sys.exit(INTERRUPTED)


INTERRUPTED = 130
