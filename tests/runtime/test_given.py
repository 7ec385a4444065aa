"""What a step makes of what it is given."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from kedro_project import make_project

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.parameters import encode, encoding_of
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.given import given_to

OWN = {"limit": 4, "listed": [1, {"a": 2}], "options": {"b": 1, "a": [1]}, "text": "t", "same": "${limit}"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> OpenProject:
    made = make_project(tmp_path_factory.mktemp("given"), catalog={}, parameters=OWN)
    # Not opened: its package would stay imported for the tests that follow.
    return OpenProject(made.path, "demo", "demo", "base", str(made.path / "conf"), in_pod=True)


def seen(project: OpenProject, values: Mapping[str, Any]) -> Any:
    """The parameters of a step that is given others, keys in no order as from KFP."""
    encodings = {
        f"in_{i}": encoding_of(key, value, model=OWN.get(key)) for i, (key, value) in enumerate(values.items())
    }
    sent = {name: encode(encoding, values[encoding.key]) for name, encoding in encodings.items()}
    text = json.dumps({"inputs": {"parameterValues": sent}, "outputs": {"outputFile": "/nowhere"}}, sort_keys=True)
    call = StepCall(action="run", step="s", parameters=tuple(encodings.items()))
    given = given_to(project, call, Executor(text))
    return given.settled(project.config_loader(given.overrides)["parameters"])


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"limit": 5, "same": 5},
        {"limit": 4.0, "same": 4.0},
        {"listed": {"a": 1}},
        {"options": {"b": 1, "a": {"c": 1}}},
        {"options": [1]},
        {"options": {"b": 1, "a": [1], "z": 1, "y": 2}},
        {"options": {"b": 1}},
        {"options": {}},
        {"options": None},
        {"text": "${limit}", "same": 4},
        {"text": "a\\\\${nothing}"},
        {"text": "${oc.env:HOME}"},
        {"listed": ["${x}", {"a": "${y}"}]},
    ],
    ids=json.dumps,
)
def test_what_is_given_holds_to_the_letter(project: OpenProject, values: dict[str, Any]) -> None:
    found = seen(project, values)
    assert json.dumps(found) == json.dumps({**OWN, "same": 4, **values})


def test_a_new_value_reaches_what_refers_to_it(project: OpenProject) -> None:
    assert seen(project, {"limit": "${text}"})["same"] == "${text}"
    assert seen(project, {"limit": 9})["same"] == 9
