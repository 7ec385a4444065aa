"""A run's time as bars in a terminal."""

from __future__ import annotations

import shutil

import click

from kedro_kubeflow.targets.base.timeline import Bar, Phase, Timeline

_MARKS: dict[Phase, str] = {"waiting": "·", "starting": "░", "nodes": "█", "ending": "▒", "unknown": "▓"}
_NARROWEST = 20


def print_timeline(made: Timeline) -> None:
    """Print it: a line a step, and what would save time."""
    if not made.bars:
        click.echo("No step of the run has begun and ended yet.")
        return
    names = max(len(bar.step) for bar in made.bars)
    width = max(_NARROWEST, shutil.get_terminal_size((120, 24)).columns - names - 14)
    click.echo(f"{made.name}: {made.seconds:.1f} s")
    for bar in made.bars:
        mark = "*" if bar.decisive else " "
        click.echo(
            f"{mark} {bar.step.ljust(names)} {bar.end - bar.begin:7.1f} s  {_drawn(bar, made.seconds, width)}".rstrip()
        )
    click.echo()
    for phase, meaning in made.phases.items():
        click.echo(f"  {_MARKS[phase]} {meaning}: {made.of(phase):.1f} s")
    click.echo("  * the steps that decided how long the run took; the seconds are theirs")
    for line in made.advice:
        click.echo(line)


def _drawn(bar: Bar, whole: float, width: int) -> str:
    cells = [" "] * width
    for span in bar.spans:
        first, last = (int(moment / max(whole, 0.001) * width) for moment in (span.begin, span.end))
        for cell in range(first, min(max(last, first + (span.seconds > 0)), width)):
            cells[cell] = _MARKS[span.phase]
    return "".join(cells)
