"""Where and how a step's pod runs, in Kubernetes' own terms (https://kubernetes.io/docs/reference/kubernetes-api/)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from kedro_kubeflow.config.model import Model

PullPolicy = Literal["Always", "IfNotPresent", "Never"]


class KubernetesModel(Model):
    """A part of Kubernetes' API; `camelCase` and `snake_case` are both understood, as kedro-kubeflow 0.x took the latter."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_class(cls, value: Any) -> Any:
        # kedro-kubeflow 0.x had {cls: V1EmptyDirVolumeSource, params: {…}}: the class follows from where it stands.
        if isinstance(value, Mapping) and set(value) <= {"cls", "params"} and "cls" in value:
            return value.get("params") or {}
        return value


class Toleration(KubernetesModel):
    """A taint of cluster nodes that a step puts up with."""

    key: str | None = None
    """The taint's key; every key where it is not given, with `operator: Exists`."""
    operator: Literal["Equal", "Exists"] | None = None
    """`Equal`, which is the default, or `Exists`."""
    value: str | None = None
    """The taint's value, for `Equal`."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The taint's effect; every effect where it is not given."""
    toleration_seconds: int | None = None
    """For `NoExecute`: how long the pod may stay."""

    @model_validator(mode="after")
    def _sound(self) -> Toleration:
        if not self.key and self.operator != "Exists":
            raise ValueError("without a `key`, `operator: Exists` is needed")
        if self.operator == "Exists" and self.value:
            raise ValueError("`operator: Exists` takes no `value`")
        return self


class Requirement(KubernetesModel):
    """A condition on a cluster node's labels or fields."""

    key: str
    """The label, or the field."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """How it is compared."""
    values: tuple[str, ...] = ()
    """What with."""

    @model_validator(mode="after")
    def _sound(self) -> Requirement:
        needs = {"In": "some", "NotIn": "some", "Gt": "one", "Lt": "one"}.get(self.operator, "no")
        if {"some": not self.values, "one": len(self.values) != 1, "no": bool(self.values)}[needs]:
            raise ValueError(f"`operator: {self.operator}` takes {needs} `values`")
        return self


class NodeSelectorTerm(KubernetesModel):
    """Conditions that a cluster node must all meet."""

    match_expressions: tuple[Requirement, ...] = ()
    """On its labels."""
    match_fields: tuple[Requirement, ...] = ()
    """On its fields."""

    @model_validator(mode="after")
    def _not_empty(self) -> NodeSelectorTerm:
        if not (self.match_expressions or self.match_fields):
            raise ValueError("`matchExpressions` or `matchFields` is needed")
        return self


class NodeSelector(KubernetesModel):
    """Terms of which a cluster node must meet one."""

    node_selector_terms: tuple[NodeSelectorTerm, ...] = Field(min_length=1)
    """The terms."""


class PreferredTerm(KubernetesModel):
    """A wish."""

    weight: int = Field(ge=1, le=100)
    """How much it counts, 1 to 100."""
    preference: NodeSelectorTerm
    """The term."""


class NodeAffinity(KubernetesModel):
    """Which cluster nodes a step may, or would rather, run on."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    """What must be met."""
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredTerm, ...] = ()
    """What is wished for."""


class Affinity(KubernetesModel):
    """Which cluster nodes a step runs on. Pod affinity is refused: Kubeflow Pipelines does not hand it on."""

    node_affinity: NodeAffinity = Field(default_factory=NodeAffinity)
    """By what the cluster nodes are."""

    @model_validator(mode="before")
    @classmethod
    def _no_pods(cls, value: Any) -> Any:
        for key in value if isinstance(value, Mapping) else ():
            if str(key).replace("_", "").lower() in ("podaffinity", "podantiaffinity"):
                raise ValueError(
                    f"{key!r} cannot be had: Kubeflow Pipelines hands only node affinity on; pods of one run can be kept "
                    "to labelled nodes with `nodeAffinity`, `node_selector` or `tolerations`"
                )
        return value


class SecurityContext(KubernetesModel):
    """As whom a step runs. What an administrator has set goes before it."""

    run_as_user: int | None = Field(default=None, ge=0)
    """The user's number."""
    run_as_group: int | None = Field(default=None, ge=0)
    """The group's number."""
    run_as_non_root: bool | None = None
    """Whether Kubernetes refuses to run the step as root."""

    @model_validator(mode="before")
    @classmethod
    def _only_identity(cls, value: Any) -> Any:
        known = {to_camel(name) for name in cls.model_fields} | set(cls.model_fields) | {"cls", "params"}
        for key in value if isinstance(value, Mapping) else ():
            if key not in known:
                raise ValueError(
                    f"{key!r} cannot be had: Kubeflow Pipelines hands only runAsUser, runAsGroup and runAsNonRoot on, drops "
                    "all capabilities and forbids privilege escalation"
                )
        return value


def _text(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {k: str(v).lower() if isinstance(v, bool) else v if v is None else str(v) for k, v in value.items()}


def _label_keys(value: dict[str, Any]) -> dict[str, Any]:
    for key in value:
        prefix, _, name = key.rpartition("/")
        if not re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", name) or len(prefix) > 253:
            raise ValueError(f"{key!r} is no label's key")
    return value


def _label_values(value: dict[str, Any]) -> dict[str, Any]:
    for key, item in value.items():
        if item and not re.fullmatch(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", item):
            raise ValueError(f"{item!r} is no label's value (at most 63 letters, digits, dashes, dots; {key!r})")
    return value


_PLAIN = WithJsonSchema({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}})

Annotations = Annotated[dict[str, str | None], BeforeValidator(_text), AfterValidator(_label_keys), _PLAIN]
"""Keys and texts."""

Labels = Annotated[Annotations, AfterValidator(_label_values)]
"""Keys and values as labels have them."""
