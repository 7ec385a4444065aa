"""``kedro kubeflow retry``."""

from __future__ import annotations

from typing import Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.follow import WaitOptions, follow, wait_options
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.run_output import run_json


@click.command("retry")
@click.argument("run")
@env_option
@target_option
@wait_options
@output_option
@exits
def retry(run: str, env: str | None, target: str | None, output: Output, **waiting: Any) -> None:
    """Run again what failed of a run; what succeeded is kept. RUN is its id, or the link that opens it."""
    from kedro_kubeflow.targets.base.registry import open_target

    opened, how = open_target(target, env=env, run=run), WaitOptions(**waiting)
    again = opened.retry(opened.run_id(run))
    link = opened.link(again.id)
    if how.wait_for_completion:
        click.echo(link, err=True)
        follow(opened, again.id, how, output)
    elif output == "json":
        print_json(run_json(opened, again))
    else:
        click.echo(f"{again.name}: {again.state}\n{link}")
