"""Kubernetes quantities, as far as Kubeflow Pipelines takes them.

KFP is narrower than Kubernetes (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/): cpu as a
decimal number or in thousandths, memory as a whole number with a unit, both refused at compile time otherwise.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

_UNITS = ("", "K", "M", "G", "T", "P", "E")
_FACTORS = {u: Decimal(1000) ** i for i, u in enumerate(_UNITS)}
_FACTORS |= {f"{u}i": Decimal(1024) ** i for i, u in enumerate(_UNITS) if u}


def cpu(value: Any) -> str:
    """A cpu quantity as text.

    Raises:
        ValueError: KFP does not take it.
    """
    text = _text(value)
    if not re.fullmatch(r"([0-9]*[.])?[0-9]+m?", text):
        raise ValueError(f"{text!r} is no amount of cpu; write cores such as 2 or 0.5, or thousandths such as 500m")
    return text


def memory(value: Any) -> str:
    """A memory quantity as text.

    Raises:
        ValueError: KFP does not take it.
    """
    text = _text(value)
    if not re.fullmatch(r"[0-9]+([EPTGMK]i?)?", text):
        raise ValueError(
            f"{text!r} is no amount of memory for KFP; write a whole number and a unit, such as 512Mi or 4Gi"
        )
    return text


def storage(value: Any) -> str:
    """A volume's size as text.

    Raises:
        ValueError: KFP does not take it.
    """
    text = _text(value)
    if not re.fullmatch(r"(0|[1-9]\d*)(\.\d+)?([EPTGMK]i?)?", text):
        raise ValueError(f"{text!r} is no size; write a number and a unit, such as 10Gi")
    return text


def amount(text: str) -> Decimal:
    """The number that a quantity stands for: cores, or bytes."""
    if text.endswith("m"):
        return Decimal(text[:-1]) / 1000
    digits = text.rstrip("EPTGMKi")
    return Decimal(digits) * _FACTORS[text[len(digits) :]]


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"an amount is expected, got {value!r}")
    return str(value).strip()


_NUMBER_OR_TEXT = WithJsonSchema({"type": ["string", "number"]})

Cpu = Annotated[str, BeforeValidator(cpu), _NUMBER_OR_TEXT]
Memory = Annotated[str, BeforeValidator(memory), _NUMBER_OR_TEXT]
Storage = Annotated[str, BeforeValidator(storage), _NUMBER_OR_TEXT]
