"""The options that several commands share, and what they amount to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from kedro_kubeflow.targets.base.registry import OURS, target_names

if TYPE_CHECKING:
    from kedro_kubeflow.request import Request
    from kedro_kubeflow.targets.base.target import Target

F = TypeVar("F", bound=Callable[..., Any])

env_option = click.option("-e", "--env", metavar="ENV", help="Configuration environment; KEDRO_ENV or Kedro's default.")
image_option = click.option("-i", "--image", metavar="IMAGE", help="Image of every step; run_config.image.")


class TargetName(click.ParamType):  # type: ignore[type-arg, unused-ignore] # generic from click 8.4 on
    """The name of a target; those of other packages are looked up when one is given."""

    name = "target"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click's signature
        """The names of ours."""
        return f"[{'|'.join(OURS)}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is no target."""
        if value not in OURS and value not in target_names():
            self.fail(f"{value!r} is not one of {', '.join(map(repr, target_names()))}.", param, ctx)
        return value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """Every name that there is."""
        return [CompletionItem(name) for name in target_names() if name.startswith(incomplete)]


target_option = click.option(
    "--target", type=TargetName(), help="Where it is for; needed where more than one is configured."
)
pipeline_option = click.option(
    "-p", "--pipeline", default="__default__", show_default=True, metavar="NAME", help="Registered pipeline."
)


def refuse_options(target: type[Target], given: Mapping[str, Any], *, typed: str | None = None) -> None:
    """Options that a target cannot have.

    Args:
        given: options by name; None and False were not given.
        typed: the option that has chosen the target, if it is not ``--target``.

    Raises:
        click.UsageError: one of them was given.
    """
    for name, value in given.items():
        if value in (None, False) or name not in target.cannot:
            continue
        option = f"--{name.replace('_', '-')}"
        if typed:
            raise click.UsageError(f"{option} cannot be used together with {typed}.")
        raise click.UsageError(f"{option} is not for {target.display_name}: {target.cannot[name].why}.")


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


def _names(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (value or "").split(",") if name.strip())


def slice_options(command: F) -> F:
    """The options by which `kedro run` chooses a part of a pipeline."""
    for words, text in (
        (("-ns", "--namespaces"), "Only nodes of these namespaces."),
        (("-t", "--tags"), "Only nodes with one of these tags."),
        (("--to-outputs",), "Only what these datasets need."),
        (("--from-inputs",), "Only what follows from these datasets."),
        (("--to-nodes",), "Only these nodes and what they need."),
        (("--from-nodes",), "Only these nodes and what follows from them."),
        (("-n", "--nodes"), "Only these nodes."),
    ):
        command = click.option(*words, metavar="A,B", callback=_names, help=text)(command)
    return command


def pipelines_options(command: F) -> F:
    """``-p``, ``--pipelines`` and ``--job``."""
    several = click.option("--pipelines", metavar="A,B", callback=_names, help="Several registered pipelines, as one.")
    job = click.option("--job", metavar="NAME", help="One of `jobs` in kubeflow.yml; other options go before it.")
    return pipeline_option(several(job(command)))


def compile_options(command: F) -> F:
    """Everything that says what to compile."""
    command = click.option(
        "--force",
        is_flag=True,
        help="Go on in spite of what `check` calls an error as it would give wrong values in silence.",
    )(command)
    return pipelines_options(slice_options(image_option(target_option(env_option(parameter_options(command))))))


def request_from(options: dict[str, Any], *, default_image: str | None = None) -> Request:
    """What the shared options ask for; takes them out of ``options``."""
    from kedro_kubeflow.project.overrides import read_overrides
    from kedro_kubeflow.request import Request, Slice

    overrides = read_overrides(options.pop("params"), options.pop("param"), options.pop("params_file"))
    return Request(
        pipelines=_pipelines(options),
        part=Slice(**{f.name: options.pop(f.name) for f in fields(Slice)}),
        job=options.pop("job"),
        image=options.pop("image"),
        env=options.pop("env"),
        parameters=overrides,
        default_image=default_image,
        target=options.pop("target"),
        force=bool(options.pop("force", False)),
        strict=bool(options.pop("strict", False)),
    )


def _pipelines(options: dict[str, Any]) -> tuple[str, ...]:
    """The pipelines that are asked for; none where it is left to the job, or to the default."""
    one, several = options.pop("pipeline"), options.pop("pipelines")
    given = click.get_current_context().get_parameter_source("pipeline")
    if given in (None, ParameterSource.DEFAULT):
        return tuple(several)
    if several:
        raise click.UsageError("--pipeline and --pipelines cannot be used together.")
    return (one,)
