"""``kedro kubeflow status``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.run_output import print_run, run_json


@click.command("status")
@click.argument("run")
@env_option
@target_option
@output_option
@exits
def status(run: str, env: str | None, target: str | None, output: Output) -> None:
    """The state of a run and of its steps. RUN is its id, or the link that opens it."""
    from kedro_kubeflow.targets.base.registry import open_target

    opened = open_target(target, env=env, run=run)
    found = opened.get(opened.run_id(run))
    if output == "json":
        print_json(run_json(opened, found))
    else:
        print_run(opened, found)
