"""``kedro kubeflow image``."""

from __future__ import annotations

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option, image_option
from kedro_kubeflow.cli.output import Output, output_option, print_json


@click.command()
@env_option
@image_option
@click.option(
    "--with-code/--without-code",
    "travels",
    default=None,
    help="Whether the code goes along with each run, so that it is no part of the tag; run_config.code.",
)
@output_option
@exits
def image(env: str | None, image: str | None, travels: bool | None, output: Output) -> None:
    """Build the image of the steps and push it, unless the registry has it; the tag is made of what is in it."""
    from kedro_kubeflow.image.build import build_image
    from kedro_kubeflow.project.opening import open_project
    from kedro_kubeflow.project.target import configured

    project = open_project(env=env)
    config = configured(project.config_loader(), either=True).config
    done = build_image(project.path, config, image=image, travels=config.run_config.travels(travels))
    click.echo(f"{done.tag}: {'built and pushed' if done.built else 'the registry has it already'}", err=True)
    if output == "json":
        print_json({"image": done.image, "tag": done.tag, "built": done.built})
    else:
        click.echo(done.image)
