"""``kedro kubeflow upload-pipeline``."""

from __future__ import annotations

from typing import Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import compile_options, request_from
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.preparation import Preparation, build_option, code_option

_SAID = {
    "pipeline": "Made the pipeline {name!r} with its first version {version}",
    "version": "Made the version {version} of the pipeline {name!r}",
    "nothing": "The newest version {version} of the pipeline {name!r} has this very spec; nothing was uploaded (--force does)",
}


@click.command("upload-pipeline")
@compile_options
@code_option
@build_option
@output_option
@exits
def upload_pipeline(force: bool, output: Output, **options: Any) -> None:
    """Upload the pipeline to Kubeflow Pipelines, or a new version of it; with --force also where the newest has the same spec."""
    from kedro_kubeflow.targets.base.registry import target_class

    before = Preparation.take(options)
    prepared = before.prepare(request_from({**options, "force": force}), None)
    target = target_class(prepared.target)(prepared.project, prepared.config)
    if not target.can("upload"):
        target.refuse("upload")
    for warning in (*prepared.plan.warnings, *target.cautions(prepared.compiled)):
        click.echo(warning, err=True)
    done = target.upload(prepared, force=force)
    click.echo(_SAID[done.made].format(name=done.pipeline, version=done.version_id), err=True)
    if output == "json":
        print_json(
            {
                "made": done.made,
                "pipeline_id": done.pipeline_id,
                "pipeline": done.pipeline,
                "version_id": done.version_id,
                "version": done.version,
                "digest": prepared.compiled.digest,
                "link": done.link,
            }
        )
    else:
        click.echo(done.link)
