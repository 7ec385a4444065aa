"""``kedro kubeflow upload-pipeline``."""

from __future__ import annotations

from typing import Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import compile_options, request_from
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.errors import ConfigError

_SAID = {
    "pipeline": "Made the pipeline {name!r} with its first version {version}",
    "version": "Made the version {version} of the pipeline {name!r}",
    "nothing": "The newest version {version} of the pipeline {name!r} has this very spec; nothing was uploaded (--force does)",
}


@click.command("upload-pipeline")
@compile_options
@click.option("--force", is_flag=True, help="Make a new version even if the newest one has the same spec.")
@output_option
@exits
def upload_pipeline(force: bool, output: Output, **options: Any) -> None:
    """Upload the pipeline to Kubeflow Pipelines, or a new version of it."""
    from kedro_kubeflow.prepared import prepare
    from kedro_kubeflow.targets.kubeflow.project_server import connect_to
    from kedro_kubeflow.targets.kubeflow.upload_compiled import upload, with_commit

    prepared = prepare(request_from(options))
    if prepared.target == "vertexai":
        raise ConfigError(
            "Vertex AI Pipelines holds no uploaded pipelines",
            cure="`run-once` and `schedule` submit the pipeline itself; `compile` writes the file that the console takes",
        )
    for warning in prepared.plan.warnings:
        click.echo(warning, err=True)
    done = upload(connect_to(prepared.config), with_commit(prepared), force=force)
    click.echo(_SAID[done.made].format(name=done.pipeline.name, version=done.version.id), err=True)
    if output == "json":
        print_json(
            {
                "made": done.made,
                "pipeline_id": done.pipeline.id,
                "pipeline": done.pipeline.name,
                "version_id": done.version.id,
                "version": done.version.name,
                "digest": prepared.compiled.digest,
                "link": done.link,
            }
        )
    else:
        click.echo(done.link)
