"""``kedro kubeflow init``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits


@click.command()
@click.argument("kfp_url", required=False)
@click.option("--force", is_flag=True, help="Replace a kubeflow.yml that is there.")
@exits
def init(kfp_url: str | None, force: bool) -> None:
    """Write conf/base/kubeflow.yml, with the address of Kubeflow Pipelines if it is given."""
    from kedro_kubeflow.app.init import init_project

    click.echo(f"Written: {init_project(host=kfp_url, force=force)}")
