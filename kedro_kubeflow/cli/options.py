"""The options that several commands share, and what they amount to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from kedro_kubeflow.app.compile import Request

F = TypeVar("F", bound=Callable[..., Any])

env_option = click.option("-e", "--env", metavar="ENV", help="Configuration environment; KEDRO_ENV or Kedro's default.")
image_option = click.option("-i", "--image", metavar="IMAGE", help="Image of every step; run_config.image.")
pipeline_option = click.option(
    "-p", "--pipeline", default="__default__", show_default=True, metavar="NAME", help="Registered pipeline."
)


def parameter_options(command: F) -> F:
    """``--params``, ``--param`` and ``--params-file``."""
    for option in (
        click.option(
            "--params-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="YAML or JSON file of parameters.",
        ),
        click.option(
            "--param", "param", multiple=True, metavar="KEY=VALUE", help="One parameter; may be given several times."
        ),
        click.option("--params", metavar="K=V,A.B=C", help="Parameters, as `kedro run` takes them."),
    ):
        command = option(command)
    return command


def compile_options(command: F) -> F:
    """Everything that says what to compile."""
    return pipeline_option(image_option(env_option(parameter_options(command))))


def request_from(options: dict[str, Any], *, default_image: str | None = None) -> Request:
    """What the shared options ask for; takes them out of ``options``."""
    from kedro_kubeflow.app.compile import Request
    from kedro_kubeflow.project.overrides import read_overrides

    overrides = read_overrides(options.pop("params"), options.pop("param"), options.pop("params_file"))
    return Request(
        pipeline=options.pop("pipeline"),
        image=options.pop("image"),
        env=options.pop("env"),
        parameters=overrides,
        default_image=default_image,
    )
