"""``kedro kubeflow plan``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import compile_options, request_from

if TYPE_CHECKING:
    from kedro_kubeflow.app.plan import Plan, PlannedStep

NO_IMAGE = "(none is configured)"


@click.command()
@compile_options
@click.option(
    "--output",
    type=click.Choice(["table", "json", "mermaid"]),
    default="table",
    show_default=True,
    help="What is printed; mermaid is a flowchart.",
)
@exits
def plan(output: str, **options: Any) -> None:
    """Show what would be submitted: steps, settings, and how data gets from one to another. Needs no server."""
    from kedro_kubeflow.app.compile import prepare
    from kedro_kubeflow.app.mermaid import mermaid
    from kedro_kubeflow.app.plan import plan_of
    from kedro_kubeflow.cli.output import print_json

    planned = plan_of(prepare(request_from(options, default_image=NO_IMAGE)))
    if output == "json":
        print_json(asdict(planned))
    elif output == "mermaid":
        click.echo(mermaid(planned), nl=False)
    else:
        _print(planned)


def _print(planned: Plan) -> None:
    from kedro_kubeflow.cli.output import print_table

    click.echo(f"{planned.display_name} (pipeline {planned.name!r}, environment {planned.env or 'default'})\n")
    columns = ("", "Step", "Nodes", "After", "Image", "Resources", "Retries", "Cache", "Parameters")
    print_table(columns, [_row(step) for step in planned.steps], empty="No steps.")
    click.echo("")
    rows = [
        (d.dataset, d.how, d.made_by, ", ".join(d.read_by) or None, d.stored_as or None, d.path or None)
        for d in planned.datasets
    ]
    print_table(("Dataset", "How", "Made by", "Read by", "Stored as", "Path"), rows, empty="No datasets.")
    for note in planned.notes:
        click.echo(note, err=True)


def _row(step: PlannedStep) -> tuple[object, ...]:
    nodes = ", ".join(step.nodes) + (f" ({step.runner})" if step.runner != "sequential" else "")
    return (
        step.order,
        step.title,
        nodes or None,
        ", ".join(step.waits_for) or None,
        step.image,
        _pairs(step.resources),
        _pairs(step.retries),
        "on" if step.cache else "off",
        ", ".join(step.parameters) or None,
    )


def _pairs(values: Mapping[str, Any]) -> str | None:
    return ", ".join(f"{key} {value}" for key, value in values.items()) or None
