"""Parameters as they are given on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from kedro_kubeflow.errors import ParameterError
from kedro_kubeflow.project.overrides import read_overrides


def test_a_date_in_a_file_is_refused_with_the_way_that_works(tmp_path: Path) -> None:
    file = tmp_path / "more.yml"
    file.write_text("run: {since: 2026-01-02}\n")
    with pytest.raises(ParameterError, match=r"'run\.since' is a date") as caught:
        read_overrides(None, (), file)
    assert '"2026-01-02"' in str(caught.value)


@pytest.mark.parametrize("given", ["x=[a,b],y=1", "x={a: 1,b: 2}", 'x="a,b"'])
def test_a_value_with_commas_is_refused_with_the_way_that_works(given: str) -> None:
    with pytest.raises(ParameterError, match="cut at every comma") as caught:
        read_overrides(given, (), None)
    assert "--param 'x=[a, b]'" in str(caught.value)
    assert read_overrides(None, ("x=[a, b]",), None) == {"x": ["a", "b"]}


def test_a_name_ends_where_kedro_ends_it() -> None:
    assert read_overrides("a:b=1,c=d:e,f=g=h", (), None) == {"a:b": 1, "c": "d:e", "f": "g=h"}


@pytest.mark.parametrize(
    "text",
    [
        "rate: 1e-3\nmany: 1_000\nat: 12:30\nis: yes\nend: .inf\ntext: '1e-3'",
        '{"rate": 1e-3, "n": null, "l": [1, {"a": 2.0}]}',
    ],
)
def test_a_file_is_read_as_kedro_reads_parameters(tmp_path: Path, text: str) -> None:
    file = tmp_path / "more.yml"
    file.write_text(text)
    theirs = OmegaConf.to_container(OmegaConf.load(file))
    assert json.dumps(read_overrides(None, (), file)) == json.dumps(theirs)
    assert isinstance(read_overrides(None, (), file)["rate"], float)


def test_what_is_no_mapping_or_no_yaml_is_said(tmp_path: Path) -> None:
    file = tmp_path / "more.yml"
    for text, said in {
        "- 1": "must be a mapping",
        "a: [": "cannot be read",
        "a: '${b'": "cannot be read",
        "5": "mapping",
    }.items():
        file.write_text(text)
        with pytest.raises(ParameterError, match=said):
            read_overrides(None, (), file)
    file.write_text("# nothing")
    assert read_overrides("a=1", (), file) == {"a": 1}


@pytest.mark.parametrize(
    "given",
    ["a={q: 1},a.r=2", "a.q=1,a={r: 2}", "a=1,a.b=2", "a.b=1,a=", "a.b.c=1,a.b={c: {d: 2}}", "a=[1],a=[2]", "z=1,a=2"],
)
def test_later_ones_go_over_earlier_ones_as_with_kedro(given: str) -> None:
    theirs = OmegaConf.to_container(OmegaConf.from_dotlist(given.split(",")))
    assert json.dumps(read_overrides(given, (), None)) == json.dumps(theirs)


@pytest.mark.parametrize("given", ["a.b=1,a=[1]", "a=[1],a.b=1"])
def test_what_does_not_go_together_is_said(given: str) -> None:
    with pytest.raises(ParameterError, match="The value of the parameter 'a"):
        read_overrides(given, (), None)
