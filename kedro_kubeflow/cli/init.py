"""``kedro kubeflow init``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits


@click.command()
@click.argument("kfp_url", required=False)
@click.option("--with-github-actions", is_flag=True, help="Also write a workflow for GitHub Actions.")
@click.option("--with-gitlab-ci", is_flag=True, help="Also write .gitlab-ci.yml.")
@click.option("--force", is_flag=True, help="Replace files that are there, kubeflow.yml too.")
@exits
def init(kfp_url: str | None, with_github_actions: bool, with_gitlab_ci: bool, force: bool) -> None:
    """Write conf/base/kubeflow.yml, with the address of Kubeflow Pipelines if it is given.

    With a workflow asked for, and without an address, a kubeflow.yml that is there stays as it is.
    """
    from kedro_kubeflow.scaffold.workflows import Service, init_with_workflows

    chosen: dict[Service, bool] = {"github": with_github_actions, "gitlab": with_gitlab_ci}
    services = [service for service, wanted in chosen.items() if wanted]
    for path in init_with_workflows(services, host=kfp_url, force=force):
        click.echo(f"Written: {path}")
