"""``kedro kubeflow compile``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import compile_options, request_from
from kedro_kubeflow.cli.preparation import Preparation, code_option

_SHOWN, _WIDTH = 40, 300


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
@click.option(
    "--check",
    "kept",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write nothing; exit with 1 and say what differs where FILE is not what would be written.",
)
@code_option
@click.option(
    "--strict", is_flag=True, help="A pipeline that does not import is an error; else it is left out, and said."
)
@exits
def compile_command(output: Path, kept: Path | None, **options: Any) -> None:
    """Write the pipeline as a KFP v2 file (IR YAML). Needs no server, no token and no image."""
    from kedro_kubeflow.project.write import write_text
    from kedro_kubeflow.targets.base.registry import target_class

    before = Preparation.take(options)
    prepared = before.compile(request_from(options))
    if kept is not None:
        _compare(prepared.compiled.text, kept)
        return
    target = target_class(prepared.target)(prepared.project, prepared.config)
    for warning in (*prepared.plan.warnings, *target.cautions(prepared.compiled)):
        click.echo(warning, err=True)
    if str(output) == "-":
        click.echo(prepared.compiled.text, nl=False)
        return
    write_text(output, prepared.compiled.text)
    steps = len(prepared.plan.steps)
    click.echo(f"{output}: pipeline {prepared.compiled.name!r}, {steps} step{'s' * (steps != 1)}", err=True)


def _compare(text: str, kept: Path) -> None:
    from kedro_kubeflow.cli.current import difference

    lines = difference(text, kept)
    for line in lines[:_SHOWN]:
        click.echo(line if len(line) <= _WIDTH else f"{line[:_WIDTH]}…")
    if len(lines) > _SHOWN:
        click.echo(f"… and {len(lines) - _SHOWN} more lines")
    if lines:
        click.echo(f"{kept} is not current; `kedro kubeflow compile -o {kept}` writes it anew", err=True)
        sys.exit(1)
    click.echo(f"{kept} is current", err=True)
