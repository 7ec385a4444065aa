"""Every per-step setting of ``run_config``, selectors resolved: what one step is given, and where each value comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from kedro_kubeflow.config.environment import ConfigMapKey, PodField, SecretKey
from kedro_kubeflow.config.extra_volumes import ExtraVolume, check_apart
from kedro_kubeflow.config.kubernetes import Affinity, SecurityContext, Toleration
from kedro_kubeflow.config.resources import Resources, largest, resources_of
from kedro_kubeflow.config.retry import RetryPolicyConfig
from kedro_kubeflow.config.run_config import RunConfig
from kedro_kubeflow.config.selectors import (
    DEFAULT,
    AmbiguousError,
    Chosen,
    Known,
    Node,
    Step,
    Table,
    checked,
)
from kedro_kubeflow.errors import ConfigError

Join = Callable[[str, Sequence[Any]], Any]


@dataclass(frozen=True, kw_only=True)
class StepSettings:
    """What one step is given.

    Attributes:
        image: None where nothing is configured and nothing overrides it.
        timeout: seconds.
        env: variable → literal, or a reference.
        origins: setting → the selector that its value comes from; a mapping's keys stand apart, as ``env.NAME`` or
            ``resources.cpu.limit``. Several selectors, comma-separated, where nodes of a group were put together.
    """

    image: str | None = None
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    resources: Resources = field(default_factory=Resources)
    retry: RetryPolicyConfig = field(default_factory=RetryPolicyConfig)
    timeout: int | None = None
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Toleration, ...] = ()
    affinity: Affinity | None = None
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    pod_annotations: Mapping[str, str] = field(default_factory=dict)
    security_context: SecurityContext | None = None
    env: Mapping[str, str | SecretKey | ConfigMapKey | PodField] = field(default_factory=dict)
    extra_volumes: tuple[ExtraVolume, ...] = ()
    cache: bool = False
    origins: Mapping[str, str] = field(default_factory=dict)


class Settings:
    """The settings of a project, and what each of its steps is given."""

    def __init__(self, run: RunConfig, known: Known, *, image: str | None = None) -> None:
        """Check every selector.

        Args:
            known: what selectors may name.
            image: in place of ``run_config.image``.

        Raises:
            ConfigError: a selector fits nothing in the project.
        """
        self._values: dict[str, dict[str, dict[str, Any]]] = {}
        for name, rule in _RULES.items():
            table = checked(_table(run, name, image), known, where=f"kubeflow.yml, run_config.{name}")
            self._values[name] = {selector: rule.keys(value) for selector, value in table.items()}
        self._tables = {name: Table(values) for name, values in self._values.items()}

    def of(self, step: Step) -> StepSettings:
        """What a step is given.

        Raises:
            ConfigError: selectors or nodes of the step contradict each other.
        """
        return _settings(step.display_name, {n: self._of_step(n, table, step) for n, table in self._tables.items()})

    def of_task(self, name: str) -> StepSettings:
        """What one of the plugin's own tasks is given: ``__default__`` without accelerators and cache, and its own name."""
        found = {}
        for setting, values in self._values.items():
            keys = {s: v for s, v in values.items() if s in (DEFAULT, name) and setting != "cache"}
            if setting == "resources" and DEFAULT in keys:
                keys = {**keys, DEFAULT: {k: v for k, v in keys[DEFAULT].items() if k != "accelerator"}}
            found[setting] = Table(keys).of_node(_Task(name), name)
        return _settings(name, found)

    def _of_step(self, setting: str, table: Table, step: Step) -> dict[str, Chosen]:
        where = f"kubeflow.yml, run_config.{setting}"
        own = table.of_group(step.display_name)
        nodes = [_of_node(table, node, step.display_name, where) for node in step.nodes]
        # What is said of the step itself need not be put together from its nodes.
        left = [{key: chosen for key, chosen in node.items() if key not in own} for node in nodes]
        try:
            joined = left[0] if len(left) == 1 else _joined(_RULES[setting].join, left)
        except _JoinError as error:
            names = ", ".join(repr(node.name) for node in step.nodes)
            raise ConfigError(
                f"The nodes {names} share the step {step.display_name!r} and differ: {error}",
                where=where,
                cure=f"say what holds for the step itself, under `group:{step.display_name}`",
            ) from None
        return {**joined, **own}


def selectors_of(run: RunConfig) -> frozenset[str]:
    """Every selector that stands somewhere."""
    return frozenset(selector for name in _RULES for selector in getattr(run, name))


@dataclass(frozen=True)
class _Task:
    """One of the plugin's own tasks, as selectors see it."""

    name: str
    tags: frozenset[str] = frozenset()
    namespace: str | None = None


@dataclass(frozen=True)
class _Rule:
    """How a setting is taken apart into keys, and how the nodes of a group put one key together."""

    keys: Callable[[Any], dict[str, Any]]
    join: Join


class _JoinError(ValueError):
    """Nodes of one step want different things."""


def _of_node(table: Table, node: Node, step: str, where: str) -> dict[str, Chosen]:
    try:
        return table.of_node(node, step)
    except AmbiguousError as error:
        raise ConfigError(
            f"The selectors {error} both fit the node {node.name!r}, count alike, and disagree",
            where=where,
            cure=f"give the node's own value under {node.name!r}",
        ) from None


def _joined(join: Join, nodes: Sequence[Mapping[str, Chosen]]) -> dict[str, Chosen]:
    joined: dict[str, Chosen] = {}
    for key in dict.fromkeys(chain.from_iterable(nodes)):
        given = [node.get(key) for node in nodes]
        origins = dict.fromkeys(c.selector for c in given if c is not None)
        joined[key] = Chosen(join(key, [c.value if c else None for c in given]), ", ".join(origins))
    return joined


def _whole(value: Any) -> dict[str, Any]:
    return {"": value}


def _mapping(value: Any) -> dict[str, Any]:
    return dict(value or {})


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.model_fields_set} if value else {}


def _same(_key: str, values: Sequence[Any]) -> Any:
    """All of them, those without a value too."""
    if any(value != values[0] for value in values):
        raise _JoinError("all of them need the same")
    return values[0]


def _same_where_given(key: str, values: Sequence[Any]) -> Any:
    given = [value for value in values if value is not None]
    if any(value != given[0] for value in given):
        # Without the values: a variable's may be nobody's business.
        raise _JoinError(f"different values of {key!r}")
    return given[0] if given else None


def _all_of_them(_key: str, values: Sequence[Any]) -> Any:
    every = list(chain.from_iterable(value or () for value in values))
    return [value for index, value in enumerate(every) if value not in every[:index]]


def _most(key: str, values: Sequence[Any]) -> Any:
    try:
        return largest(key, values) if any(value is not None for value in values) else None
    except ValueError as error:
        raise _JoinError(str(error)) from None


def _largest_number(_key: str, values: Sequence[Any]) -> Any:
    return max((value for value in values if value is not None), default=None)


def _one_after_the_other(_key: str, values: Sequence[Any]) -> Any:
    """A node without a limit has none together with others either."""
    return None if None in values else sum(values)


_RULES: dict[str, _Rule] = {
    "images": _Rule(_whole, _same),
    "image_pull_policy": _Rule(_whole, _same),
    "image_pull_secrets": _Rule(_whole, _all_of_them),
    "resources": _Rule(lambda value: value.keys() if value else {}, _most),
    "retry_policy": _Rule(_fields, _largest_number),
    "timeout": _Rule(_whole, _one_after_the_other),
    "node_selector": _Rule(_mapping, _same_where_given),
    "tolerations": _Rule(_whole, _all_of_them),
    "affinity": _Rule(_whole, _same),
    "pod_labels": _Rule(_mapping, _same_where_given),
    "pod_annotations": _Rule(_mapping, _same_where_given),
    "security_context": _Rule(_fields, _same_where_given),
    "env": _Rule(_mapping, _same_where_given),
    "extra_volumes": _Rule(_whole, _all_of_them),
    "cache": _Rule(_whole, lambda _key, values: all(values)),
}


def _table(run: RunConfig, name: str, image: str | None) -> Mapping[str, Any]:
    table: Mapping[str, Any] = getattr(run, name)
    chosen = image or run.image
    if name == "images" and chosen:
        return {**table, DEFAULT: chosen if image else table.get(DEFAULT, chosen)}
    return table


def _settings(step: str, found: Mapping[str, Mapping[str, Chosen]]) -> StepSettings:
    values = {name: {k: c.value for k, c in keys.items() if c.value is not None} for name, keys in found.items()}
    whole = {name: keys.get("") for name, keys in values.items()}
    context, volumes = values["security_context"], tuple(whole["extra_volumes"] or ())
    try:
        check_apart(volumes)
    except ValueError as error:
        raise ConfigError(f"In the step {step!r}, {error}", where="kubeflow.yml, run_config.extra_volumes") from None
    return StepSettings(
        image=whole["images"],
        image_pull_policy=whole["image_pull_policy"] or "IfNotPresent",
        image_pull_secrets=tuple(whole["image_pull_secrets"] or ()),
        resources=resources_of(values["resources"], step=step),
        retry=RetryPolicyConfig(**values["retry_policy"]),
        timeout=whole["timeout"],
        node_selector=values["node_selector"],
        tolerations=tuple(whole["tolerations"] or ()),
        affinity=whole["affinity"],
        pod_labels=values["pod_labels"],
        pod_annotations=values["pod_annotations"],
        security_context=SecurityContext(**context) if context else None,
        env=values["env"],
        extra_volumes=volumes,
        cache=bool(whole["cache"]),
        origins=dict(_origins(found)),
    )


def _origins(found: Mapping[str, Mapping[str, Chosen]]) -> Sequence[tuple[str, str]]:
    return [
        (f"{name.removesuffix('s') if name == 'images' else name}{'.' + key if key else ''}", chosen.selector)
        for name, keys in found.items()
        for key, chosen in keys.items()
    ]
