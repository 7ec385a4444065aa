"""``kedro kubeflow list-pipelines``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.jobs_on_vertex import list_jobs
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json, print_table
from kedro_kubeflow.cli.server_project import open_server

if TYPE_CHECKING:
    from kedro_kubeflow.project.target import Target


@click.command("list-pipelines")
@env_option
@target_option
@click.option("--versions-of", metavar="NAME", help="The versions of this pipeline, by its name on the server.")
@output_option
@exits
def list_pipelines(env: str | None, target: Target | None, versions_of: str | None, output: Output) -> None:
    """All pipelines on the server, the newest first; on Vertex AI, which has none, the latest 100 jobs."""
    from kedro_kubeflow.project.target import target_of

    if target_of(env, target) == "vertexai":
        list_jobs(env, output, limit=100)
    elif versions_of:
        _list_versions(env, versions_of, output)
    else:
        _list_pipelines(env, output)


def _list_versions(env: str | None, pipeline: str, output: Output) -> None:
    from kedro_kubeflow.targets.kubeflow.named_pipelines import list_versions

    client = open_server(env).client
    versions = list_versions(client, pipeline)
    if output == "json":
        print_json(
            [
                {
                    "version_id": v.id,
                    "pipeline_id": v.pipeline_id,
                    "name": v.name,
                    "display_name": v.display_name,
                    "created_at": v.created_at,
                    "tags": dict(v.tags),
                    "link": client.address.pipeline_link(v.pipeline_id, v.id),
                }
                for v in versions
            ]
        )
        return
    rows = [(v.name, v.display_name, v.created_at, v.id) for v in versions]
    print_table(["VERSION", "SHOWN AS", "CREATED", "ID"], rows, empty="The pipeline has no versions.")


def _list_pipelines(env: str | None, output: Output) -> None:
    from kedro_kubeflow.targets.kubeflow.named_pipelines import list_pipelines as listed

    client = open_server(env).client
    pipelines = listed(client)
    if output == "json":
        print_json(
            [
                {
                    "pipeline_id": p.id,
                    "name": p.name,
                    "display_name": p.display_name,
                    "description": p.description,
                    "created_at": p.created_at,
                    "namespace": p.namespace,
                    "tags": dict(p.tags),
                    "link": client.address.pipeline_link(p.id),
                }
                for p in pipelines
            ]
        )
        return
    rows = [(p.name, p.display_name, p.created_at, p.id) for p in pipelines]
    print_table(["NAME", "SHOWN AS", "CREATED", "ID"], rows, empty="There are no pipelines on the server.")
