"""What the run gives a step in place of what its configuration says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kedro_kubeflow.contract import LOCAL_VALUES, StepCall
from kedro_kubeflow.interpolation import literal
from kedro_kubeflow.parameters import ABSENT, Encoding, decode, is_given, ordered_like, same
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.project.resolvers import Marked, read_marked
from kedro_kubeflow.runtime.executor import Executor


@dataclass(frozen=True)
class Given:
    """Run-time parameters, as ``kedro run --params`` would have them, and the values that they lead to.

    Attributes:
        overrides: what differs from what the configuration says by itself, nested: Kedro works out the rest with it, so that a
            new value reaches whatever refers to it.
        own: what the configuration says by itself, with marks in place of what resolvers give; but for what comes from the
            conf/local of who has compiled.
        whole: the values that the step was given.
        local: what that conf/local says by itself.
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    whole: Mapping[str, Any] = field(default_factory=dict)
    local: Mapping[str, Any] = field(default_factory=dict)

    def settled(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The step's parameters, from what Kedro has read with the overrides.

        Where a given value has lost a key, or Kedro's merge of environments would lose one, the given value holds; also where
        there is no file of parameters, as Kedro leaves out what is given if an image holds the base environment alone.
        """
        found = dict(parameters)
        for key, value in self.whole.items():
            if any(key in known for known in (self.own, found, self.overrides, self.local)):
                found[key] = _settled(value, self.own.get(key, ABSENT), found.get(key, ABSENT))
        return found


def given_to(project: OpenProject, call: StepCall, executor: Executor) -> Given:
    """Read what the step was given."""
    if not call.parameters:
        return Given()
    marked = read_marked(project.config_loader({}))
    own = marked.sections.get("parameters") or {}
    local = call.settings.get(LOCAL_VALUES, {})
    before = {**own, **local}
    overrides: dict[str, Any] = {}
    whole: dict[str, Any] = {}
    for encoding, value in _received(call, executor):
        if encoding.kind in ("list", "dict", "part"):
            value = ordered_like(value, own.get(encoding.key))
        is_whole = encoding.kind not in ("part", "unset")
        if is_whole:
            whole[encoding.key] = value
        changed = _changed(value, before[encoding.key]) if encoding.key in before else value
        if changed is not ABSENT and not _is_default(encoding, value, before, marked):
            overrides[encoding.key] = literal(changed) if is_whole else changed
    return Given(overrides, {key: value for key, value in own.items() if key not in local}, whole, local)


def _received(call: StepCall, executor: Executor) -> Iterable[tuple[Encoding, Any]]:
    received = executor.parameters
    for name, encoding in call.parameters:
        if name in received and is_given(encoding, received[name]):
            yield encoding, decode(encoding, received[name])


def _is_default(encoding: Encoding, value: Any, own: Mapping[str, Any], marked: Marked) -> bool:
    """Whether the configuration takes that value by itself where it asks for a run-time parameter."""
    asked = marked.asked.get(encoding.key)
    if asked is None or asked.needed or encoding.key in own or encoding.kind == "unset":
        return False
    return len(asked.defaults) == 1 and same(asked.defaults[0], value)


def _changed(value: Any, own: Any) -> Any:
    """The part of a value that is not the configuration's own; absent where all of it is."""
    if isinstance(value, Mapping) and isinstance(own, Mapping) and own:
        parts = {key: _changed(item, own.get(key, ABSENT)) for key, item in value.items()}
        return {key: part for key, part in parts.items() if part is not ABSENT} or ABSENT
    if {type(value), type(own)} == {dict, list}:
        # Kedro merges neither into the other; the given value holds in the end.
        return ABSENT
    return ABSENT if same(value, own) else value


def _settled(value: Any, own: Any, found: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(own, Mapping):
        inner = found if isinstance(found, Mapping) else {}
        return {key: _settled(item, own.get(key, ABSENT), inner.get(key, ABSENT)) for key, item in value.items()}
    return found if found is not ABSENT and same(value, own) else value
