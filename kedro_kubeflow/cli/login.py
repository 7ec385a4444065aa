"""``kedro kubeflow login``."""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING

import click

from kedro_kubeflow.cli.exits import exits
from kedro_kubeflow.cli.options import env_option
from kedro_kubeflow.cli.output import Output, output_option, print_json
from kedro_kubeflow.cli.ui import has_browser, open_link

if TYPE_CHECKING:
    from kedro_kubeflow.auth.kubeflow.login import Person


@click.command("login")
@env_option
@click.option("--device", is_flag=True, help="Log in with the browser of another device, by a code.")
@click.option("--no-browser", is_flag=True, help="Only print the address, as for a port that SSH forwards.")
@output_option
@exits
def login(env: str | None, device: bool, no_browser: bool, output: Output) -> None:
    """Log in as a person, in a browser (`auth: browser` in kubeflow.yml)."""
    from kedro_kubeflow.targets.base.registry import open_target
    from kedro_kubeflow.targets.kubeflow.person import begin_login, issuer_of, known_as

    config = open_target("kubeflow", env=env).config

    def show_page(url: str) -> None:
        opened = not no_browser and has_browser() and open_link(url)
        click.echo("The browser is open: log in there." if opened else f"Log in here:\n{url}", err=True)

    def show_code(url: str, code: str) -> None:
        click.echo(f"On any device, open {url}\nand write the code {code} there.", err=True)

    person = begin_login(config, open_browser=show_page, show=show_code if device else None)
    if output == "text":
        click.echo(f"Logged in at {issuer_of(config)} as {person.name}{_until(person)}")
    user = known_as(config) if config.host else None
    if output == "json":
        print_json(
            {
                "issuer": issuer_of(config),
                "user": person.name,
                "server_user": user,
                "expires_at": _time(person.expires_at),
                "renewed": person.renewed,
            }
        )
    elif config.host:
        click.echo(f"{config.host} takes the login" + (f"; you are {user} there" if user else ""))


def _until(person: Person) -> str:
    if person.renewed:
        return "; the login is renewed by itself"
    when = _time(person.expires_at)
    return f", until {when}" if when else ""


def _time(seconds: float) -> str | None:
    if math.isinf(seconds):
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(timespec="seconds")
