"""What commands give: text for people or JSON for programs, on standard output; everything else goes to standard error."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
Output = Literal["text", "json"]


def output_option(command: F) -> F:
    """``--output`` and ``--to``."""
    output = click.option(
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="What is printed. With `kedro`, the first line of its log is before it; not with `kedro-kubeflow …`.",
    )
    return output(to_option(command))


def to_option(command: F) -> F:
    """``--to``: the result goes to a file; where there is none, no file is written."""
    return click.option(
        "--to",
        type=click.Path(dir_okay=False, path_type=Path),
        expose_value=False,
        callback=_to,
        help="A file for what would be printed.",
    )(command)


def _to(context: click.Context, _option: click.Parameter, file: Path | None) -> None:
    if file is None:
        return
    result = io.StringIO()
    context.with_resource(contextlib.redirect_stdout(result))

    def write() -> None:
        from kedro_kubeflow.project.write import write_text

        if result.getvalue():
            write_text(file, result.getvalue())

    context.call_on_close(write)


def print_json(value: Any) -> None:
    """A value as JSON; moments in UTC."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Rows under their columns; where a terminal is too narrow for that, one block a row, so that nothing is cut.

    Args:
        empty: what to say, on standard error, where there are none.
    """
    from rich.cells import cell_len

    if not rows:
        click.echo(empty, err=True)
        return
    cells = [[cell(value) for value in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *cells, strict=True)]
    if sys.stdout.isatty() and sum(widths) + 2 * (len(widths) - 1) > shutil.get_terminal_size().columns:
        _print_blocks(columns, cells)
    else:
        _print_rows(columns, cells)


def _print_rows(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True, overflow="ignore")
    for row in cells:
        table.add_row(*(Text(text) for text in row))
    console = Console(file=sys.stdout, width=10_000, highlight=False)
    console.print(table, crop=False)


def _print_blocks(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    """What is empty is left out, and what has no name; long values go on in the next line, as the terminal breaks them."""
    width = max(map(len, columns))
    for number, row in enumerate(cells):
        if number:
            click.echo("")
        for column, text in zip(columns, row, strict=True):
            if column and text not in ("", "-"):
                click.echo(f"{click.style(column.ljust(width), bold=True)}  {text}")


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
