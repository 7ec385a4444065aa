"""What the run gives a step in place of what its configuration says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.parameters import Encoding, decode, is_given, ordered_like
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.project.resolvers import Marked, read_marked
from kedro_kubeflow.runtime.executor import Executor

_ABSENT: Any = object()


@dataclass(frozen=True)
class Given:
    """Run-time parameters, as ``kedro run --params`` would have them, and the values that they lead to.

    Attributes:
        overrides: what differs from what the configuration says by itself, nested: Kedro works out the rest with it, so that a
            new value reaches whatever refers to it.
        own: what the configuration says by itself, with marks in place of what resolvers give.
        whole: the values that the step was given.
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    whole: Mapping[str, Any] = field(default_factory=dict)

    def settled(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The step's parameters, from what Kedro has read with the overrides.

        Where a given value has lost a key, or Kedro's merge of environments would lose one, the given value holds.
        """
        found = dict(parameters)
        for key, value in self.whole.items():
            if key in self.own or key in found:
                found[key] = _settled(value, self.own.get(key, _ABSENT), found.get(key, _ABSENT))
        return found


def given_to(project: OpenProject, call: StepCall, executor: Executor) -> Given:
    """Read what the step was given."""
    if not call.parameters:
        return Given()
    marked = read_marked(project.config_loader({}))
    own = marked.sections.get("parameters") or {}
    overrides: dict[str, Any] = {}
    whole: dict[str, Any] = {}
    for encoding, value in _received(call, executor):
        value = ordered_like(value, own.get(encoding.key))
        if encoding.kind not in ("part", "unset"):
            whole[encoding.key] = value
        changed = _changed(value, own[encoding.key]) if encoding.key in own else value
        if changed is not _ABSENT and not _is_default(encoding.key, value, own, marked):
            overrides[encoding.key] = changed
    return Given(overrides, own, whole)


def _received(call: StepCall, executor: Executor) -> Iterable[tuple[Encoding, Any]]:
    received = executor.parameters
    for name, encoding in call.parameters:
        if name in received and is_given(encoding, received[name]):
            yield encoding, decode(encoding, received[name])


def _is_default(key: str, value: Any, own: Mapping[str, Any], marked: Marked) -> bool:
    """Whether the configuration takes that value by itself where it asks for a run-time parameter."""
    asked = marked.asked.get(key)
    return key not in own and asked is not None and not asked.needed and asked.defaults == (value,)


def _changed(value: Any, own: Any) -> Any:
    """The part of a value that is not the configuration's own; absent where all of it is."""
    if isinstance(value, Mapping) and isinstance(own, Mapping) and own:
        parts = {key: _changed(item, own.get(key, _ABSENT)) for key, item in value.items()}
        return {key: part for key, part in parts.items() if part is not _ABSENT} or _ABSENT
    return _ABSENT if _same(value, own) else value


def _same(value: Any, other: Any) -> bool:
    """Equal, and of the same types at every depth: ``1`` is neither ``1.0`` nor ``True``."""
    if type(value) is not type(other):
        return False
    if isinstance(value, Mapping):
        return value.keys() == other.keys() and all(_same(item, other[key]) for key, item in value.items())
    if isinstance(value, list):
        return len(value) == len(other) and all(_same(a, b) for a, b in zip(value, other, strict=True))
    return bool(value == other)


def _settled(value: Any, own: Any, found: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(own, Mapping):
        inner = found if isinstance(found, Mapping) else {}
        return {key: _settled(item, own.get(key, _ABSENT), inner.get(key, _ABSENT)) for key, item in value.items()}
    return found if found is not _ABSENT and _same(value, own) else value
