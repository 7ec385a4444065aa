"""Ctrl-C: one way to be interrupted for every command."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import click

INTERRUPTED = 130
"""The exit code, as shells have it."""


@contextlib.contextmanager
def interruptible(message: str) -> Iterator[None]:
    """Ctrl-C leaves with a word about what goes on."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\n{message}", err=True)
        sys.exit(INTERRUPTED)
