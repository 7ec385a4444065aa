"""``kedro kubeflow runs``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.run_output import print_runs, run_json


@click.command("runs")
@env_option
@target_option
@click.option("-p", "--pipeline", metavar="NAME", help="Only runs of the uploaded versions of this pipeline.")
@click.option("-n", "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many.")
@output_option
@exits
def runs(env: str | None, target: str | None, pipeline: str | None, limit: int, output: Output) -> None:
    """The latest runs and their states."""
    from kedro_kubeflow.targets.base.registry import open_target

    opened = open_target(target, env=env)
    listed = opened.runs(limit=limit, pipeline=pipeline)
    if output == "json":
        print_json([run_json(opened, run, steps=False) for run in listed])
    else:
        print_runs(listed, empty=f"There are no {opened.noun}s.")
