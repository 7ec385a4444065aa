"""``kedro kubeflow …``: each command parses, calls a use case, prints.

Kedro loads every plugin's commands at every ``kedro`` command in a project, so this module imports click alone; a
command's module is imported when the command is named, and what is heavy when it runs.
"""

from __future__ import annotations

import gc
import importlib
import logging
import warnings
from typing import Any

import click

from kedro_kubeflow.standard_output import give_back

COMMANDS = {
    "artifacts": "kedro_kubeflow.cli.artifacts:artifacts",
    "check": "kedro_kubeflow.cli.check:check",
    "compile": "kedro_kubeflow.cli.compile:compile_command",
    "image": "kedro_kubeflow.cli.image:image",
    "init": "kedro_kubeflow.cli.init:init",
    "list-pipelines": "kedro_kubeflow.cli.list_pipelines:list_pipelines",
    "login": "kedro_kubeflow.cli.login:login",
    "logout": "kedro_kubeflow.cli.logout:logout",
    "logs": "kedro_kubeflow.cli.logs:logs",
    "plan": "kedro_kubeflow.cli.plan:plan",
    "retry": "kedro_kubeflow.cli.retry:retry",
    "run-once": "kedro_kubeflow.cli.run_once:run_once",
    "runs": "kedro_kubeflow.cli.runs:runs",
    "schedule": "kedro_kubeflow.cli.schedule:schedule",
    "status": "kedro_kubeflow.cli.status:status",
    "terminate": "kedro_kubeflow.cli.terminate:terminate",
    "ui": "kedro_kubeflow.cli.ui:ui",
    "upload-pipeline": "kedro_kubeflow.cli.upload_pipeline:upload_pipeline",
}


class LazyGroup(click.Group):
    """A group that imports a command when it is named."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """From here on, what is printed is a command's result, or help."""
        give_back()
        return super().make_context(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands' names, sorted."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """One command, imported."""
        if name not in COMMANDS:
            return super().get_command(ctx, name)
        module, attribute = COMMANDS[name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(name="Kubeflow")
def commands() -> None:
    """Kedro on Kubeflow Pipelines."""


@commands.group(name="kubeflow", cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def kubeflow() -> None:
    """Run this project on Kubeflow Pipelines, or here through the same compiled pipeline."""
    # What Kedro and its plugins have loaded stays; looking through it for garbage takes longer than most commands.
    if not gc.get_freeze_count():
        gc.freeze()
    _logs_to_stderr()
    # Kedro calls a function that OmegaConf 2.4 renamed: nothing that a user could mend.
    warnings.filterwarnings("ignore", message=r"register_new_resolver\(\)", module=r"kedro\.config\.")


def _logs_to_stderr() -> None:
    """Kedro's own log handler writes to standard output, which belongs to what a command gives."""
    for name in (None, "kedro"):
        for handler in logging.getLogger(name).handlers:
            console = getattr(handler, "console", None)
            if console is not None:
                console.stderr = True
