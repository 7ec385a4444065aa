"""Parameters as they are given on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

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
