"""``kedro kubeflow login``."""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option, target_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.ui import has_browser, open_link

if TYPE_CHECKING:
    from kedro_kubeflow.targets.base.login import Login


@click.command("login")
@env_option
@target_option
@click.option("--device", is_flag=True, help="Log in with the browser of another device, by a code.")
@click.option("--no-browser", is_flag=True, help="Only print the address, as for a port that SSH forwards.")
@output_option
@exits
def login(env: str | None, target: str | None, device: bool, no_browser: bool, output: Output) -> None:
    """Log in as a person, in a browser (`auth: browser` in kubeflow.yml)."""
    from kedro_kubeflow.targets.base.registry import open_target

    def show_page(url: str) -> None:
        opened = not no_browser and has_browser() and open_link(url)
        click.echo("The browser is open: log in there." if opened else f"Log in here:\n{url}", err=True)

    def show_code(url: str, code: str) -> None:
        click.echo(f"On any device, open {url}\nand write the code {code} there.", err=True)

    done = open_target(target, env=env).login(open_browser=show_page, show=show_code if device else None)
    if output == "json":
        facts = ("issuer", "user", "server_user", "renewed")
        print_json({**{name: getattr(done, name) for name in facts}, "expires_at": _time(done.expires_at)})
        return
    click.echo(f"Logged in at {done.issuer} as {done.user}{_until(done)}")
    if done.host:
        click.echo(f"{done.host} takes the login" + (f"; you are {done.server_user} there" if done.server_user else ""))


def _until(done: Login) -> str:
    if done.renewed:
        return "; the login is renewed by itself"
    when = _time(done.expires_at)
    return f", until {when}" if when else ""


def _time(seconds: float) -> str | None:
    if math.isinf(seconds):
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(timespec="seconds")
