"""``kedro kubeflow ui``."""

from __future__ import annotations

import os
import sys
import webbrowser

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json


@click.command("ui")
@env_option
@target_option
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@output_option
@exits
def ui(env: str | None, target: str | None, no_browser: bool, output: Output) -> None:
    """Open the UI of the target, such as Kubeflow Pipelines, or print its link where there is no browser."""
    from kedro_kubeflow.targets.base.registry import open_target

    link = open_target(target, env=env).link()
    opened = not no_browser and has_browser() and open_link(link)
    if output == "json":
        print_json({"link": link, "opened": opened})
    else:
        click.echo(link)


def has_browser() -> bool:
    """Whether there is a screen: without one, Python would start a text browser in the middle of this terminal."""
    if sys.platform in ("darwin", "win32") or os.environ.get("BROWSER"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_link(link: str) -> bool:
    """Show an address in the browser; whether that was possible."""
    try:
        return webbrowser.open(link)
    except (webbrowser.Error, OSError):
        return False
