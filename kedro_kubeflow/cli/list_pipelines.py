"""``kedro kubeflow list-pipelines``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json, print_table
from kedro_kubeflow.cli.run_output import print_runs, run_json

if TYPE_CHECKING:
    from kedro_kubeflow.targets.base.target import Target

_RUNS = 100


@click.command("list-pipelines")
@env_option
@target_option
@click.option("--versions-of", metavar="NAME", help="The versions of this pipeline, by its name on the server.")
@output_option
@exits
def list_pipelines(env: str | None, target: str | None, versions_of: str | None, output: Output) -> None:
    """All pipelines on the server, the newest first; where none are uploaded, as on Vertex AI, the latest 100 runs."""
    from kedro_kubeflow.targets.base.registry import open_target

    opened = open_target(target, env=env)
    if versions_of:
        _list_versions(opened, versions_of, output)
        return
    if opened.can("pipelines"):
        _list_pipelines(opened, output)
        return
    runs = opened.runs(limit=_RUNS)
    if output == "json":
        print_json([run_json(opened, run, steps=False) for run in runs])
    else:
        print_runs(runs, empty=f"There are no {opened.noun}s {opened.place}.")


def _list_versions(target: Target, pipeline: str, output: Output) -> None:
    versions = target.versions(pipeline)
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
                    "link": target.pipeline_link(v.pipeline_id, v.id),
                }
                for v in versions
            ]
        )
        return
    rows = [(v.name, v.display_name, v.created_at, v.id) for v in versions]
    print_table(["VERSION", "SHOWN AS", "CREATED", "ID"], rows, empty="The pipeline has no versions.")


def _list_pipelines(target: Target, output: Output) -> None:
    pipelines = target.pipelines()
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
                    "link": target.pipeline_link(p.id),
                }
                for p in pipelines
            ]
        )
        return
    rows = [(p.name, p.display_name, p.created_at, p.id) for p in pipelines]
    print_table(["NAME", "SHOWN AS", "CREATED", "ID"], rows, empty=f"There are no pipelines {target.place}.")
