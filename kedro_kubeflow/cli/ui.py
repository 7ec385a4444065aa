"""``kedro kubeflow ui``."""

from __future__ import annotations

import os
import sys
import webbrowser

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option
from kedro_kubeflow.cli.output import Output, output_option, print_json


@click.command("ui")
@env_option
@click.option("--no-browser", is_flag=True, help="Only print the link.")
@output_option
@exits
def ui(env: str | None, no_browser: bool, output: Output) -> None:
    """Open the Kubeflow Pipelines UI, or print its link where there is no browser."""
    from kedro_kubeflow.app.server import address_of, open_for_server

    link = f"{address_of(open_for_server(env).config).ui_host}/#/pipelines"
    opened = not no_browser and _has_browser() and _open(link)
    if output == "json":
        print_json({"link": link, "opened": opened})
    else:
        click.echo(link)


def _has_browser() -> bool:
    """Whether there is a screen: without one, Python would start a text browser in the middle of this terminal."""
    if sys.platform in ("darwin", "win32") or os.environ.get("BROWSER"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(link: str) -> bool:
    try:
        return webbrowser.open(link)
    except (webbrowser.Error, OSError):
        return False
