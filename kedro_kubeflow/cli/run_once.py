"""``kedro kubeflow run-once``."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import compile_options, request_from
from kedro_kubeflow.cli.output import Output, output_option
from kedro_kubeflow.cli.run_on_server import ServerRunOptions, run_on_server, server_run_options

if TYPE_CHECKING:
    from kedro_kubeflow.targets.local.run import LocalRun

INTERRUPTED = 130


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
@server_run_options
@output_option
@exits
def run_once(runner: str | None, isolated: bool, output: Output, **options: Any) -> None:
    """Run the pipeline once: on Kubeflow Pipelines or Vertex AI Pipelines, or with --local on this machine."""
    if isolated and runner != "subprocess":
        raise click.UsageError("--isolated is for --local: pods and containers share nothing in any case.")
    if runner:
        ServerRunOptions.take(options).refuse_with("--local")
        _run_here(runner, isolated, output, options)
    else:
        run_on_server(options, output)


def _run_here(runner: str, isolated: bool, output: Output, options: dict[str, Any]) -> None:
    from kedro_kubeflow.cli.local_view import LocalView, print_summary, stderr_console
    from kedro_kubeflow.prepared import prepare
    from kedro_kubeflow.targets.local.operations import run_local

    # Processes need no image; what the spec names is only asked of Docker.
    request = request_from(options, default_image="local" if runner == "subprocess" else None)
    prepared = prepare(replace(request, either_target=True))
    console = stderr_console()
    for warning in prepared.plan.warnings:
        console.print(warning)
    view = LocalView(console)
    with view.showing():
        run = run_local(prepared, runner=runner, isolated=isolated, on_change=view.changed)  # type: ignore[arg-type]
    print_summary(run, console)
    if output == "json":
        click.echo(json.dumps(_facts(run), indent=2))
    if run.state != "succeeded":
        sys.exit(INTERRUPTED if run.state == "interrupted" else 1)


def _facts(run: LocalRun) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "state": run.state,
        "folder": str(run.folder),
        "mlflow": run.mlflow,
        "steps": [
            {"step": s.step, "state": s.state, "seconds": round(s.seconds, 3), "outputs": s.outputs, "log": str(s.log)}
            for s in run.steps.values()
        ],
    }
