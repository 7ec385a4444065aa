"""``run_config.resources``: cpu, memory and accelerators of a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, Field, field_validator, model_validator

from kedro_kubeflow.config.model import Model
from kedro_kubeflow.config.quantity import Cpu, Memory, amount
from kedro_kubeflow.errors import ConfigError

_NOT_TAKEN = ("ephemeral-storage", "storage", "hugepages-2Mi", "hugepages-1Gi")


class Amounts(Model):
    """Cpu and memory."""

    cpu: Cpu | None = None
    """Cores such as `2` or `0.5`, or thousandths such as `500m`."""

    memory: Memory | None = None
    """A whole number and a unit, such as `512Mi` or `4Gi`."""


class ResourcesConfig(Model):
    """What a step may use. An accelerator stands here by its resource name: `nvidia.com/gpu: 1`."""

    model_config = ConfigDict(
        json_schema_extra={"patternProperties": {"/": {"type": ["integer", "null"], "minimum": 0}}}
    )

    cpu: Cpu | None = None
    """Cores, as request and as limit."""

    memory: Memory | None = None
    """Memory, as request and as limit."""

    requests: Amounts = Field(default_factory=Amounts)
    """What a node of the cluster must have free; goes before `cpu` and `memory`."""

    limits: Amounts = Field(default_factory=Amounts)
    """What the step may use at most; goes before `cpu` and `memory`."""

    accelerators: dict[str, int] = Field(default_factory=dict)
    """Resource name → number; the long form of `nvidia.com/gpu: 1`. Kubeflow Pipelines takes one kind a step; 0 takes back
    what a lower selector asks for."""

    @model_validator(mode="before")
    @classmethod
    def _by_resource_name(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        for name in _NOT_TAKEN:
            if name in value:
                raise ValueError(f"Kubeflow Pipelines has no way to ask for {name!r}")
        known = {key: item for key, item in value.items() if "/" not in str(key)}
        named = {key: item for key, item in value.items() if "/" in str(key)}
        return {**known, "accelerators": {**(known.get("accelerators") or {}), **named}} if named else value

    @field_validator("accelerators", mode="before")
    @classmethod
    def _counts(cls, value: Any) -> Any:
        return {k: 0 if v is None else v for k, v in value.items()} if isinstance(value, Mapping) else value

    @field_validator("accelerators")
    @classmethod
    def _one_kind(cls, value: dict[str, int]) -> dict[str, int]:
        if any(count < 0 for count in value.values()):
            raise ValueError("the number of accelerators is 0 or more")
        if len([name for name, count in value.items() if count]) > 1:
            raise ValueError("Kubeflow Pipelines takes one kind of accelerator a step, and here are several")
        return value

    def keys(self) -> dict[str, Any]:
        """The settings one by one: ``cpu.request``, ``cpu.limit``, ``memory.request``, ``memory.limit``, ``accelerator``."""
        found: dict[str, Any] = {}
        for name in ("cpu", "memory"):
            if name in self.model_fields_set:
                found[f"{name}.request"] = found[f"{name}.limit"] = getattr(self, name)
            for bound, given in (("request", self.requests), ("limit", self.limits)):
                if name in given.model_fields_set:
                    found[f"{name}.{bound}"] = getattr(given, name)
        if self.accelerators:
            kinds = [(name, count) for name, count in self.accelerators.items() if count]
            found["accelerator"] = kinds[0] if kinds else None
        return found


@dataclass(frozen=True)
class Resources:
    """What a step may use, selectors resolved; None where nothing is said and the cluster's own defaults hold."""

    cpu_request: str | None = None
    cpu_limit: str | None = None
    memory_request: str | None = None
    memory_limit: str | None = None
    accelerator: str | None = None
    accelerator_count: int = 0


def resources_of(keys: Mapping[str, Any], *, step: str) -> Resources:
    """The resources that single keys amount to.

    Raises:
        ConfigError: more is requested than the limit allows.
    """
    kind, count = keys.get("accelerator") or (None, 0)
    bounds = {f"{n}_{b}": keys.get(f"{n}.{b}") for n in ("cpu", "memory") for b in ("request", "limit")}
    for name in ("cpu", "memory"):
        request, limit = bounds[f"{name}_request"], bounds[f"{name}_limit"]
        if request and limit and amount(request) > amount(limit):
            raise ConfigError(
                f"The step {step!r} requests {request} of {name}, and its limit is {limit}",
                where="kubeflow.yml, run_config.resources",
                cure=f"raise `limits: {{{name}: …}}`, or lower `requests: {{{name}: …}}`",
            )
    return Resources(**bounds, accelerator=kind, accelerator_count=count)


def largest(key: str, values: Sequence[Any]) -> Any:
    """What nodes that share a step need together, as they run one after the other: the most that one of them needs.

    Raises:
        ValueError: they need different kinds of accelerators.
    """
    given = [value for value in values if value is not None]
    if key.endswith(".limit") and len(given) < len(values):
        return None  # A node without a limit has none together with others either.
    if key != "accelerator":
        return max(given, key=amount)
    if len({kind for kind, _ in given}) > 1:
        raise ValueError("different kinds of accelerators, of which a step takes one")
    return max(given)
