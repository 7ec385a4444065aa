"""What commands give: text for people or JSON for programs, on standard output; everything else goes to standard error."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Literal, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Output = Literal["text", "json"]


def output_option(command: F) -> F:
    """``--output``."""
    return click.option(
        "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What is printed."
    )(command)


def print_json(value: Any) -> None:
    """A value as JSON; moments in UTC."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Rows under their columns; as wide as they need where the output is no terminal, so that nothing is cut.

    Args:
        empty: what to say, on standard error, where there are none.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        click.echo(empty, err=True)
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ignore" if column == "ID" else "ellipsis")
    for row in rows:
        table.add_row(*(Text(cell(value)) for value in row))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    console = Console(file=sys.stdout, width=width, highlight=False)
    console.print(table, crop=False)


def cell(value: object) -> str:
    """One value as people read it; moments in the machine's own time zone."""
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def duration(start: datetime | None, end: datetime | None) -> str:
    """The time between two moments, to now where the second is not known yet."""
    if start is None:
        return "-"
    seconds = int(((end or datetime.now(timezone.utc)) - start).total_seconds())
    minutes, rest = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m {rest:02}s" if minutes else f"{rest}s"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
