"""``kedro kubeflow compile``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import compile_options, request_from


@click.command("compile")
@compile_options
@click.option(
    "-o",
    "--output",
    default="pipeline.yaml",
    show_default=True,
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Where the compiled pipeline goes; - is standard output.",
)
@exits
def compile_command(output: Path, **options: Any) -> None:
    """Write the pipeline as a KFP v2 file (IR YAML). Needs no server, no token and no image."""
    from kedro_kubeflow.app.compile import prepare
    from kedro_kubeflow.app.write import write_text

    prepared = prepare(request_from(options))
    for note in prepared.compiled.notes:
        click.echo(note, err=True)
    if str(output) == "-":
        click.echo(prepared.compiled.text, nl=False)
        return
    write_text(output, prepared.compiled.text)
    steps = len(prepared.dag.steps)
    click.echo(f"{output}: pipeline {prepared.compiled.name!r}, {steps} step{'s' * (steps != 1)}", err=True)
