"""``local``: runs on this machine."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from kedro_kubeflow.config.model import Model

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}


class LocalConfig(Model):
    """What runs on this machine leave behind, under `.kubeflow/` in the project."""

    keep_runs: int = Field(default=10, ge=1)
    """How many of the latest runs are kept, artifacts and logs included."""

    max_size: str = "10Gi"
    """How much the kept runs may take together; the oldest go first, the latest always stays."""

    isolation: Literal["fork", "process"] = "fork"
    """How a step becomes a process of its own: a fork of one that has imported the libraries that steps use (not the
    project's code), or a new Python. On platforms without a safe fork, which are all but Linux, it is always a new Python."""

    max_parallel: int | None = Field(default=None, ge=1)
    """How many steps run at once, where they do not wait for each other. Default: the number of cores."""

    @field_validator("max_size")
    @classmethod
    def _max_size(cls, value: str) -> str:
        bytes_of(value)
        return value


def bytes_of(quantity: str) -> int:
    """Bytes of a quantity such as ``500Mi``.

    Raises:
        ValueError: it is no quantity.
    """
    match = re.fullmatch(r"(\d+)([KMGT]i?)?", quantity.strip())
    if not match:
        raise ValueError(f"{quantity!r} is no size; write a whole number and a unit, such as 500Mi or 10Gi")
    return int(match.group(1)) * _UNITS[match.group(2) or ""]
