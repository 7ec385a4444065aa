"""``kedro kubeflow init``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits


@click.command()
@click.argument("kfp_url", required=False)
@click.option("--with-github-actions", is_flag=True, help="Also write a workflow for GitHub Actions.")
@click.option("--with-gitlab-ci", is_flag=True, help="Also write .gitlab-ci.yml.")
@click.option(
    "--with-dockerfile", is_flag=True, help="Also write a Dockerfile and a .dockerignore for the steps' image."
)
@click.option(
    "--with-raw-data",
    is_flag=True,
    help="That image holds the local files that no node makes.",
)
@click.option("--force", is_flag=True, help="Replace files that are there, kubeflow.yml too.")
@exits
def init(
    kfp_url: str | None,
    with_github_actions: bool,
    with_gitlab_ci: bool,
    with_dockerfile: bool,
    with_raw_data: bool,
    force: bool,
) -> None:
    """Write conf/base/kubeflow.yml, with the address of Kubeflow Pipelines if it is given.

    With a workflow or a Dockerfile asked for, and without an address, a kubeflow.yml that is there stays as it is.
    """
    from kedro_kubeflow.scaffold.everything import Wanted, init_with, raw_data
    from kedro_kubeflow.scaffold.workflows import Service

    if with_raw_data and not with_dockerfile:
        raise click.UsageError("--with-raw-data goes together with --with-dockerfile.")
    chosen: dict[Service, bool] = {"github": with_github_actions, "gitlab": with_gitlab_ci}
    services = tuple(service for service, wanted in chosen.items() if wanted)
    wanted = Wanted(services=services, dockerfile=with_dockerfile, raw_data=with_raw_data)
    for path in init_with(wanted, host=kfp_url, force=force):
        click.echo(f"Written: {path}")
    if with_dockerfile and not with_raw_data and (left_out := raw_data()):
        click.echo(
            f"The image does not hold {', '.join(left_out)}; a line !{left_out[0]} in .dockerignore lets it in",
            err=True,
        )
