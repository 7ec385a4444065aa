"""``kedro kubeflow logout``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json


@click.command("logout")
@env_option
@target_option
@output_option
@exits
def logout(env: str | None, target: str | None, output: Output) -> None:
    """Forget the login of `kedro kubeflow login`, here and at its provider."""
    from kedro_kubeflow.targets.base.registry import open_target

    done = open_target(target, env=env).logout()
    if output == "json":
        print_json({"issuer": done.issuer, "was_logged_in": done.was})
    else:
        click.echo(f"Logged out at {done.issuer}" if done.was else "Nobody was logged in")
