"""``kedro kubeflow logout``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option
from kedro_kubeflow.cli.output import Output, output_option, print_json


@click.command("logout")
@env_option
@output_option
@exits
def logout(env: str | None, output: Output) -> None:
    """Forget the login of `kedro kubeflow login`, here and at its provider."""
    from kedro_kubeflow.targets.base.registry import open_target
    from kedro_kubeflow.targets.kubeflow.person import end_login, issuer_of

    config = open_target("kubeflow", env=env).config
    was = end_login(config)
    if output == "json":
        print_json({"issuer": issuer_of(config), "was_logged_in": was})
    else:
        click.echo(f"Logged out at {issuer_of(config)}" if was else "Nobody was logged in")
