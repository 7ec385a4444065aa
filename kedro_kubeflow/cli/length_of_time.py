"""Lengths of time on the command line, as in kubeflow.yml."""

from __future__ import annotations

from typing import Any

import click


class LengthOfTime(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic in newer click
    """Seconds, also broken ones, or a whole number with a unit, such as ``5m``; at least 0."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds."""
        # pydantic is not to be loaded for the sake of every `kedro` command.
        from kedro_kubeflow.config.duration import seconds

        try:
            found = float(value)
        except ValueError:
            try:
                found = float(seconds(value))
            except ValueError as error:
                self.fail(str(error), param, ctx)
        # Also what is no number at all: nan.
        return found if found >= 0 else self.fail(f"{value!r} is less than nothing", param, ctx)
