"""Kedro parameters → the run-time inputs of a pipeline that is compiled and uploaded already.

How each parameter travels was decided when the pipeline was compiled, and stands in the calls of its steps; so that
the inputs given here are read there as they are meant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kedro_kubeflow.contract import StepCall, runtime_arguments
from kedro_kubeflow.errors import ParameterError, did_you_mean
from kedro_kubeflow.interpolation import worked_out
from kedro_kubeflow.names import is_secret_name
from kedro_kubeflow.parameters import RECURRING_RUN, Encoding, coerce, decode


@dataclass(frozen=True)
class Input:
    """A run-time input of a compiled pipeline."""

    name: str
    encoding: Encoding
    default: Any


def run_inputs(
    spec: Mapping[str, Any], overrides: Mapping[str, Any], *, where: str, scheduled: bool = False
) -> dict[str, Any]:
    """Inputs by KFP name.

    Args:
        spec: the pipeline's spec, as the server gives it.
        overrides: Kedro parameters, nested; where a value is a mapping it is merged into the pipeline's own.
        where: what to call the pipeline in an error.
        scheduled: whether they are for a recurring run, whose macros Kubeflow fills in.

    Raises:
        ParameterError: the pipeline has no such parameter, or it has another type.
    """
    known = {i.encoding.key: i for i in inputs_of(spec)}
    given: dict[str, Any] = {}
    for key, value in overrides.items():
        if key not in known:
            raise ParameterError(
                f"The pipeline takes no parameter {key!r}. {did_you_mean(key, known)}",
                where=where,
                cure="parameters that no node uses, or that a resolver of the configuration gives, are not part of a pipeline: "
                f"compile or upload it again if this one is new, or with a value (--params {key}=VALUE) if a resolver gives it",
            )
        given[known[key].name] = _value(known[key], value, where, scheduled=scheduled)
    return given


def every_input(spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """All inputs of a pipeline with the values that they will have, as Kubeflow's own UI sends them: it shows what was sent.

    What is called like a secret is left out, if it was not given: it keeps its default.

    Args:
        given: inputs by KFP name, where they differ from the pipeline's own.
    """
    ir = spec.get("pipeline_spec", spec)
    declared = ir.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    own = {
        name: definition["defaultValue"]
        for name, definition in declared.items()
        if definition.get("defaultValue") is not None and not is_secret_name(name)
    }
    return {**own, **given}


def inputs_of(spec: Mapping[str, Any]) -> Iterator[Input]:
    """The run-time inputs of a pipeline."""
    ir = spec.get("pipeline_spec", spec)
    declared = ir.get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    encodings = {name: encoding for call in _calls(ir) for name, encoding in call.parameters}
    for name, definition in declared.items():
        encoding = encodings.get(name) or Encoding(name, _KINDS.get(definition.get("parameterType", ""), "json"))
        yield Input(name, encoding, definition.get("defaultValue"))


# For pipelines of another origin, whose inputs have nothing but KFP's types.
_KINDS = {
    "BOOLEAN": "bool",
    "NUMBER_INTEGER": "int",
    "NUMBER_DOUBLE": "float",
    "STRING": "str",
    "LIST": "list",
    "STRUCT": "dict",
}


def _calls(ir: Mapping[str, Any]) -> Iterator[StepCall]:
    for executor in ir.get("deploymentSpec", {}).get("executors", {}).values():
        container = executor.get("container", {})
        try:
            yield StepCall.from_argv(runtime_arguments([*container.get("command", ()), *container.get("args", ())]))[0]
        except ValueError:
            continue


def _value(known: Input, value: Any, where: str, *, scheduled: bool) -> Any:
    own = decode(known.encoding, known.default) if known.default is not None else None
    if scheduled:
        _refuse_bare_macros(value, known.encoding.key, where)
    if known.encoding.kind not in ("part", "unset"):
        value = _worked_out(value, known.encoding.key, where)
    try:
        return coerce(known.encoding, _merged(own, value), macros=RECURRING_RUN if scheduled else None)
    except ValueError as error:
        key = known.encoding.key
        raise ParameterError(
            f"The parameter {key!r} does not fit: {error}", where=where, cure=_cure(known.encoding, value)
        ) from None


def _worked_out(value: Any, key: str, where: str) -> Any:
    """A value as Kedro would read it where it needs nothing else for it.

    Raises:
        ParameterError: it refers to something.
    """

    def refuse(text: str) -> ParameterError:
        return ParameterError(
            f"What ${{…}} stands for is looked up when a pipeline is compiled, and {key!r} is given to one that is: {text!r}",
            where=where,
            cure=f"give the value itself, or compile with it: `kedro kubeflow run-once --param '{key}={text}'`",
        )

    return worked_out(value, refuse)


def _refuse_bare_macros(value: Any, key: str, where: str) -> None:
    """``[[Index]]`` without quotes is a list in a list to YAML, and nothing would be filled in."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if not isinstance(value, list):
        return
    match value:
        case [[str(word)]] if RECURRING_RUN.fullmatch(macro := f"[[{word}]]"):
            raise ParameterError(
                f"In the value of {key!r}, {macro} has no quotes: YAML reads a list in a list, which Kubeflow does not fill in",
                where=where,
                cure=f"""quote it: --param '{key}="{macro}"', or "{macro}" in a file""",
            )
    for item in value:
        _refuse_bare_macros(item, key, where)


def _cure(encoding: Encoding, value: Any) -> str:
    key = encoding.key
    if isinstance(value, str) and RECURRING_RUN.search(value):
        return f'write text to parameters.yml ({key}: "…"), let the node make of it what it needs, and upload that'
    if encoding.kind == "str" and not isinstance(value, (list, Mapping)):
        return f"it is text, and what looks like a number or YAML needs quotes: --param '{key}=\"{value}\"'"
    return (
        f"an uploaded pipeline's inputs keep their types; compile and run with it at once: `kedro kubeflow run-once --param "
        f"'{key}={value}'`, or write a value of the new type to parameters.yml and upload that"
    )


def _merged(own: Any, value: Any) -> Any:
    """As Kedro merges run-time parameters: mappings into mappings, anything else in place of what was there."""
    if isinstance(own, Mapping) and isinstance(value, Mapping):
        return {**own, **{key: _merged(own.get(key), item) for key, item in value.items()}}
    return value
