"""What people are told of the values that a pipeline is compiled with: whose they are, and who will read them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from kedro_kubeflow.interpolation import is_in
from kedro_kubeflow.names import is_secret_name
from kedro_kubeflow.parameters import decode
from kedro_kubeflow.plan.inputs import PipelineInput
from kedro_kubeflow.plan.scope import Scope
from kedro_kubeflow.project.conf import unknown_overrides
from kedro_kubeflow.project.facts import Facts
from kedro_kubeflow.project.resolvers import changed_entries


def from_conf_local(
    facts: Facts, scope: Scope, inputs: Mapping[str, PipelineInput], in_conf: Collection[str]
) -> Iterator[str]:
    """A word on each value of conf/local that a step's own differs from, or that travels as an input's default.

    Args:
        in_conf: the parameters that steps read from the project's conf.
    """
    given = facts.parameters.given
    for key in sorted(facts.parameters.local, key=str):
        if key in inputs and key not in facts.parameters.resolved:
            if key not in given or isinstance(given[key], Mapping):
                what = f"The default of the parameter {key!r} comes from conf/local"
                yield f"{what}, which images do not hold: it travels with the pipeline"
        elif str(key) in in_conf or isinstance(given.get(key), Mapping):
            yield _another(key, facts.image.sections.get("parameters") or {})
    for name in sorted(changed_entries(facts.marked, facts.image, scope.every_entry)):
        yield f"The catalog entry of {name!r} is another without conf/local, which images do not hold: steps use that one"
    if scope.tracking and facts.marked.sections.get("mlflow") != facts.image.sections.get("mlflow"):
        yield "mlflow.yml is another without conf/local, which images do not hold: steps use that one, and their environment"


def _another(key: Any, in_image: Mapping[Any, Any]) -> str:
    if key in in_image:
        return f"The parameter {key!r} is another without conf/local, which images do not hold: steps use that one"
    return f"The parameter {key!r} stands in conf/local alone, which images do not hold: steps lack it"


def readable_secrets(inputs: Mapping[str, PipelineInput]) -> Iterator[str]:
    """A word on each input that is called like a secret, or holds something that is; its value is not said."""
    for key, given in sorted(inputs.items()):
        default = decode(given.encoding, given.default)
        for path in (".".join(path) for path in _text_paths(default, (key,)) if is_secret_name(path[-1])):
            yield (
                f"The value of the parameter {path!r} stands in the compiled pipeline for everybody to read. If it is secret, "
                "write ${oc.env:NAME} in its place, and give steps that variable from a secret (run_config.env)"
            )


def _text_paths(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _text_paths(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from _text_paths(item, path)
    elif isinstance(value, str) and value and not is_in(value):
        yield path


def unknown_parameters(facts: Facts) -> list[str]:
    """A word on each parameter that is given and that the project does not have."""
    known = facts.marked.sections.get("parameters") or {}
    return unknown_overrides(facts.parameters.given, known, facts.marked.asked)
