"""`run-once` on the server with nothing around it, as a process of its own: python run_once_here.py [OPTIONS]."""

from __future__ import annotations

import sys
from typing import Any

import kedro.framework.project  # noqa: F401 - sets up Kedro's logging, as `kedro` does before it calls a plugin

from kedro_kubeflow.cli import kubeflow
from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import compile_options
from kedro_kubeflow.cli.output import Output, output_option
from kedro_kubeflow.cli.run_on_server import run_on_server, server_run_options


@kubeflow.command("run-once-here")
@compile_options
@server_run_options
@output_option
@exits
def run_once_here(output: Output, **options: Any) -> None:
    run_on_server(options, output)


if __name__ == "__main__":
    kubeflow(["run-once-here", *sys.argv[1:]])
