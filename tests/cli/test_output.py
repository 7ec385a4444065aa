"""Tables in terminals of any width: names stay whole."""

from __future__ import annotations

import shutil
import sys

import pytest

from kedro_kubeflow.cli.output import print_table

NAME = "a_dataset_with_quite_a_long_name_that_nobody_wants_to_see_cut"
ROWS = [[1, NAME, None, "x"], [2, "short", "step", "y"]]


@pytest.mark.parametrize("columns", [60, 200])
def test_nothing_is_cut(columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: type("Size", (), {"columns": columns}))
    print_table(("Order", "Dataset", "Made by", "How"), ROWS, empty="")
    out = capsys.readouterr().out
    assert NAME in out
    assert "…" not in out
    assert ("Dataset\x1b[0m  a_data" in out) == (columns == 60)


def test_wide_characters_take_two_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: type("Size", (), {"columns": 12}))
    print_table(("", "Dataset"), [[1, "数据数据数据"]], empty="")
    # 16 columns do not fit into 12, so it is a block; what has no name is left out there.
    assert capsys.readouterr().out == "\x1b[1mDataset\x1b[0m  数据数据数据\n"
