"""``kedro kubeflow terminate``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.mlflow_end import tell_unclosed
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.run_output import run_json


@click.command("terminate")
@click.argument("run")
@env_option
@target_option
@output_option
@exits
def terminate(run: str, env: str | None, target: str | None, output: Output) -> None:
    """End a run. RUN is its id, or the link that opens it."""
    from kedro_kubeflow.targets.base.registry import open_target

    opened = open_target(target, env=env, run=run)
    ended = opened.terminate(opened.run_id(run))
    if ended.ended and opened.can("repair"):
        # It had ended before: then the task at its end has had its time too.
        tell_unclosed(opened, opened.get(ended.id))
    if output == "json":
        print_json(run_json(opened, ended))
    else:
        click.echo(f"{ended.name}: {ended.state}\n{opened.link(ended.id)}")
