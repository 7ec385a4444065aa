"""The pipeline's inputs: which of the project's parameters can be given to a run, and as what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kedro_kubeflow.errors import ParameterError, did_you_mean
from kedro_kubeflow.names import distinct, field_name
from kedro_kubeflow.parameters import (
    ABSENT,
    Encoding,
    Macros,
    NotPortableError,
    encode,
    encoding_of,
    part_of,
    same,
    size,
)
from kedro_kubeflow.plan.nodes import NodeFacts
from kedro_kubeflow.project.facts import Parameters
from kedro_kubeflow.project.partial import UNKNOWN

MAX_INPUT_BYTES = 100_000
"""What a run can be told as its parameters together.

KFP's contract speaks of 10,000 bytes, which its server asks of pipelines of its first version alone (``MAX_PARAMETER_BYTES``).
The true end is the Workflow of 1 MiB, in which each byte stands about nine times for each step that is told it: 100 KiB ran in a
pipeline of one step, three times as much was refused.
"""


@dataclass(frozen=True)
class PipelineInput:
    """A Kedro parameter as a typed input of the KFP pipeline."""

    name: str
    encoding: Encoding
    default: Any


def keys_used(node: NodeFacts, parameters: Parameters) -> Iterable[Any]:
    """The top-level parameters behind a node's ``params:…`` and ``parameters`` inputs; YAML's need not be text."""
    for name in node.inputs:
        if name == "parameters":
            yield from parameters.values
        elif name.startswith("params:"):
            yield _top_level(name.removeprefix("params:"), parameters, node.name)


def keys_needed(nodes: Iterable[NodeFacts], parameters: Parameters, more: Iterable[Any] = ()) -> set[Any]:
    """The top-level parameters that a step of some nodes is to be given, or reads from the conf.

    Args:
        more: those that it uses in another way.
    """
    used = {*(key for node in nodes for key in keys_used(node, parameters)), *more, *parameters.shared}
    # What is worked out in the pod follows a new value of what it refers to, but none of conf/local: Kedro works each environment
    # out by itself.
    followed = {name for key in used & parameters.resolved.keys() for name in parameters.referred.get(key, ())}
    return used | (followed & parameters.values.keys()) - (parameters.local.keys() - parameters.overridden - used)


def _top_level(path: str, parameters: Parameters, node: str) -> Any:
    """The top-level key that a node's parameter stands under; keys may themselves hold dots."""
    known = parameters.by_path
    for cut in range(len(path), 0, -1):
        if path[:cut] in known and (cut == len(path) or (path[cut] == "." and known[path[:cut]][1] == UNKNOWN)):
            return known[path[:cut]][0]
    raise ParameterError(
        f"The node {node!r} uses the parameter {path!r}, which the project does not have. {did_you_mean(path, known)}",
        where="conf, parameters*.yml",
        cure=f"add it there, give it as in --params {path}=VALUE, or mend the node's input",
    )


def pipeline_inputs(
    nodes: Sequence[NodeFacts], parameters: Parameters, *, at_exit: Collection[str] = (), macros: Macros = None
) -> tuple[dict[str, PipelineInput], list[str]]:
    """Top-level parameter → pipeline input, and what to say of those that cannot be one.

    Args:
        at_exit: top-level names that the exit task is given.
        macros: what the target fills in when a run starts.

    Raises:
        ParameterError: a node uses a parameter that the project does not have, or an override cannot travel.
        NameClash: two of them would have one KFP name.
    """
    needed = keys_needed(nodes, parameters, at_exit)
    used = sorted(key for key in needed if isinstance(key, str))
    names = distinct(used, field_name, "parameters")
    inputs: dict[str, PipelineInput] = {}
    in_conf = {str(key): "its name is not text" for key in needed - set(used)}
    for key in used:
        if key in parameters.resolved and key not in parameters.overridden:
            in_conf[key] = _worked_out(parameters.resolved[key])
            continue
        try:
            inputs[key] = _pipeline_input(names[key], key, parameters, macros)
        except NotPortableError as error:
            in_conf[key] = str(error)
    in_conf |= _over_budget(inputs)
    for key, reason in in_conf.items():
        if key in parameters.overridden:
            raise ParameterError(
                f"The parameter {key!r} cannot be given a value from outside: {reason}",
                cure="change it in the project's conf (in an environment of its own, with --env) and build the image anew",
            )
        inputs.pop(key, None)
    return _new_ones_last(inputs, parameters), [
        f"The parameter {key!r} stays in the project's conf: {why}" for key, why in sorted(in_conf.items())
    ]


def _new_ones_last(inputs: Mapping[str, PipelineInput], parameters: Parameters) -> dict[str, PipelineInput]:
    """The inputs by name, and what the configuration has none of at the end as it was given: so Kedro adds them."""
    new = [key for key in parameters.given if key in inputs and key not in _in_image(parameters)]
    known = sorted(inputs.keys() - set(new), key=lambda key: inputs[key].name)
    return {key: inputs[key] for key in (*known, *new)}


def _in_image(parameters: Parameters) -> Mapping[str, Any]:
    return parameters.values if parameters.in_image is None else parameters.in_image


def _pipeline_input(name: str, key: str, parameters: Parameters, macros: Macros) -> PipelineInput:
    """One input.

    Raises:
        NotPortableError: its value cannot travel.
    """
    if key not in parameters.values and key not in parameters.defaults:
        return PipelineInput(name, Encoding(key, "unset"), "")
    value = parameters.values[key] if key in parameters.values else parameters.defaults[key]
    encoding = _encoding(key, value, parameters, macros=macros, model=_in_image(parameters).get(key))
    if encoding.kind in ("part", "unset"):
        value = parameters.given[key]
    return PipelineInput(name, encoding, encode(encoding, value, macros=macros))


def _encoding(key: str, value: Any, parameters: Parameters, *, macros: Macros, model: Any) -> Encoding:
    if (
        key in parameters.given
        and key not in _in_image(parameters)
        and same(value, parameters.defaults.get(key, ABSENT))
    ):
        # Given as it would be anyway, which is more than not given: a node may use it.
        return Encoding(key, "unset")
    if key not in parameters.resolved:
        return encoding_of(key, value, macros=macros, model=model)
    # What resolvers give is not to stand in the file: only what was given does, and is laid over the rest in the pod.
    given = parameters.given.get(key)
    if isinstance(given, Mapping):
        return part_of(key, given, macros=macros, model=model)
    encoding_of(key, given)
    return Encoding(key, "unset")


def _worked_out(resolvers: Sequence[str]) -> str:
    known = ", ".join(f"${{{name}:}}" for name in resolvers if name != "…")
    return f"{known or 'a resolver'} gives its value when the step runs, so that it is no run-time input unless it is given one"


def _over_budget(inputs: Mapping[str, PipelineInput]) -> dict[str, str]:
    """The largest inputs that must be left in conf so that the rest fits KFP's limit together."""
    sizes = {key: size(i.name, i.default) for key, i in inputs.items()}
    total = sum(sizes.values())
    in_conf: dict[str, str] = {}
    for key in sorted(sizes, key=lambda k: (-sizes[k], k)):
        if total <= MAX_INPUT_BYTES:
            break
        total -= sizes[key]
        in_conf[key] = (
            f"its {sizes[key]:,} bytes do not fit into a run's Workflow; all parameters together may have about "
            f"{MAX_INPUT_BYTES:,}"
        )
    return in_conf
