from __future__ import annotations

import pytest

from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.targets.base.run_name import fill_run_name

VALUES = {"model": {"type": "tree", "depth": 3}, "rate": 0.123, "items": [1, 2], "none": None, "odd name": 1}


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("plain", "plain"),
        ("train {model.type}", "train tree"),
        ("{rate:.1f} {model.depth:03}", "0.1 003"),
        ("{items} {none}", "[1, 2] None"),
        ("{odd name}", "1"),
        ("{{kept}} {rate!r}", "{kept} 0.123"),
        ("two\nlines  and blanks", "two lines and blanks"),
    ],
)
def test_parameters_stand_in_for_names(template: str, name: str) -> None:
    assert fill_run_name(template, VALUES) == name


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("{modle}", "Did you mean 'model'?"),
        ("{model.typ}", "'model.typ'"),
        ("{rate.__class__}", "'rate.__class__'"),
        ("{model[type]}", "'model[type]'"),
        ("{}", "'0'"),
        ("{0}", "'0'"),
        ("{rate", "cannot be filled"),
        ("rate}", "cannot be filled"),
        ("{rate:nonsense}", "cannot be filled"),
        ("{items:.2f}", "cannot be filled"),
        ("  ", "is empty"),
    ],
)
def test_what_cannot_be_filled(template: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        fill_run_name(template, VALUES)
    assert what in str(caught.value)
    assert caught.value.where == "kubeflow.yml, run_config.run_name"
    assert caught.value.cure
