"""Which steps a setting is for: by name, glob, tag, namespace or group.

A setting is a table of selectors; these are they, from what counts least to what counts most.

| selector | means |
|---|---|
| `__default__` | every step, and the plugin's own tasks (`mlflow-start-run`, …) |
| `namespace:NAME` | nodes of that namespace and of those inside it; the deeper one counts more |
| `tag:NAME` | nodes with that tag |
| a glob such as `train_*` | nodes (or steps) whose name fits; the one with more literal characters counts more |
| a name | that node, or that task of the plugin |
| `group:NAME`, or a group's name | a step that several nodes share |

Where a value is a mapping, single keys of it are taken from the selector that counts most; null takes a key, or a whole value,
back. A bare name is never read as a tag or a namespace: a renamed node would silently become one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import BaseModel, BeforeValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

from kedro_kubeflow.errors import ConfigError, did_you_mean

DEFAULT = "__default__"
KINDS = ("namespace", "tag", "group")
_DEFAULT, _NAMESPACE, _TAG, _GLOB, _NAME = range(5)

T = TypeVar("T")
Rank = tuple[int, int]


class Node(Protocol):
    """What a selector sees of a Kedro node."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def tags(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def namespace(self) -> str | None: ...  # noqa: D102


class Step(Protocol):
    """What a selector sees of a step."""

    @property
    def display_name(self) -> str: ...  # noqa: D102
    @property
    def nodes(self) -> Sequence[Node]: ...  # noqa: D102


@dataclass(frozen=True)
class Known:
    """What selectors may name: everything in the project, so that a slice of a pipeline needs no file of its own."""

    nodes: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()

    @classmethod
    def of(cls, nodes: Iterable[Node], *, groups: Iterable[str] = (), tasks: Iterable[str] = ()) -> Known:
        """What is known of some nodes; a namespace's parents are namespaces too."""
        every = list(nodes)
        return cls(
            nodes=frozenset(node.name for node in every),
            tags=frozenset(tag for node in every for tag in node.tags),
            namespaces=frozenset(parent for node in every for parent in _parents(node.namespace)),
            groups=frozenset(groups),
            tasks=frozenset(tasks),
        )

    @property
    def names(self) -> frozenset[str]:
        """Everything that a bare name may mean."""
        return self.nodes | self.groups | self.tasks

    def fits(self, selector: str) -> bool:
        """Whether a selector fits something, as it is written."""
        kind, name = _split(selector)
        found = {"namespace": self.namespaces, "tag": self.tags, "group": self.groups}.get(kind, self.names)
        if selector == DEFAULT or name in found:
            return True
        return not kind and is_glob(selector) and any(fnmatchcase(n, selector) for n in self.nodes | self.groups)

    def __or__(self, other: Known) -> Known:
        return Known(*(getattr(self, f) | getattr(other, f) for f in self.__dataclass_fields__))


@dataclass(frozen=True)
class Chosen:
    """A value and the selector that it comes from; several selectors where nodes of a group were put together."""

    value: Any
    selector: str


class AmbiguousError(ValueError):
    """Two selectors that count alike give a step two values of one key."""

    def __init__(self, first: str, second: str, key: str) -> None:
        super().__init__(f"{first!r} and {second!r}" + (f", of {key!r}," if key else ""))
        self.selectors = (first, second)


def checked(table: Mapping[str, T], known: Known, *, where: str) -> dict[str, T]:
    """The table with each selector as it is meant.

    kedro-kubeflow 0.x looked nodes up by their name with dashes, so `train-model` is still taken for `train_model`.

    Raises:
        ConfigError: a selector fits nothing in the project.
    """
    meant: dict[str, T] = {}
    for selector, value in table.items():
        meant.setdefault(_meant(selector, known, where), value)
    return meant


class Table:
    """The values of one setting: selector → key → value."""

    def __init__(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        self._values = values
        self._globs = [s for s in values if is_glob(s) and not _split(s)[0]]

    def of_node(self, node: Node, step: str) -> dict[str, Chosen]:
        """Key by key, the value of the selector that counts most for a node of the step with this step.

        Raises:
            AmbiguousError: two of the same rank disagree.
        """
        return self._choose(sorted(self._fitting(node, step)))

    def of_group(self, step: str) -> dict[str, Chosen]:
        """What is said of a step as a whole."""
        return self._choose([((_NAME, i), s) for i, s in enumerate((step, f"group:{step}")) if s in self._values])

    def _fitting(self, node: Node, step: str) -> Iterator[tuple[Rank, str]]:
        """The selectors that fit, and how much each counts."""
        named = [((_DEFAULT, 0), DEFAULT), ((_NAME, 0), node.name)]
        named += [((_TAG, 0), f"tag:{tag}") for tag in node.tags]
        named += [((_NAMESPACE, depth), f"namespace:{name}") for depth, name in enumerate(_parents(node.namespace))]
        yield from ((rank, selector) for rank, selector in named if selector in self._values)
        for selector in self._globs:
            if fnmatchcase(node.name, selector) or fnmatchcase(step, selector):
                yield (_GLOB, len(re.sub(r"\[[^]]*]|[*?]", "", selector))), selector

    def _choose(self, selectors: Sequence[tuple[Rank, str]]) -> dict[str, Chosen]:
        chosen: dict[str, Chosen] = {}
        ranks: dict[str, Rank] = {}
        for rank, selector in selectors:
            for key, value in self._values[selector].items():
                if ranks.get(key) == rank and chosen[key].value != value:
                    raise AmbiguousError(chosen[key].selector, selector, key)
                chosen[key], ranks[key] = Chosen(value, selector), rank
        return chosen


def is_glob(selector: str) -> bool:
    """Whether a selector has a mark of a glob; a node's own name goes before that."""
    return any(mark in selector for mark in "*?[")


def _split(selector: str) -> tuple[str, str]:
    kind, colon, name = selector.partition(":")
    return (kind, name) if colon and kind in KINDS else ("", selector)


def _meant(selector: str, known: Known, where: str) -> str:
    if known.fits(selector):
        return selector
    dashed = [n for n in sorted(known.names) if _dashed(n) == selector]
    if len(dashed) == 1:
        return dashed[0]
    raise ConfigError(
        f"The selector {selector!r} fits no node of the project. {did_you_mean(selector, _everything(known))}",
        where=where,
        cure="mend it, or take it out",
    )


def _everything(known: Known) -> Iterator[str]:
    yield from known.names
    yield from (f"tag:{name}" for name in known.tags)
    yield from (f"namespace:{name}" for name in known.namespaces)


def _parents(namespace: str | None) -> list[str]:
    parts = namespace.split(".") if namespace else []
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _dashed(name: str) -> str:
    return re.sub(r"[\W_]+", "-", name).strip("-")


def _table(value: Any) -> Any:
    """A value that is no table is for every step."""
    if value is None:
        return {}
    return value if isinstance(value, Mapping) else {DEFAULT: value}


def _table_of_mappings(value: Any) -> Any:
    for key, item in (value or {}).items() if isinstance(value, Mapping | None) else ():
        if not isinstance(item, Mapping | BaseModel | None):
            raise ValueError(
                f"this is given by step, and {key!r} has a plain value; what is for every step stands under `{DEFAULT}`"
            )
    return {} if value is None else value


class _Shorthand:
    """In the JSON schema: the value alone, for every step, or a table."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        table = handler(core)
        return {"anyOf": [table["additionalProperties"], table]}


Selected = Annotated[dict[str, T | None], BeforeValidator(_table), _Shorthand]
"""A value for every step, or a table of selectors."""

SelectedMapping = Annotated[dict[str, T | None], BeforeValidator(_table_of_mappings)]
"""A table of selectors, as the values are mappings themselves."""
