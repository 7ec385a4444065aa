"""Entry points are read once, and are what importlib gives."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator

import pytest

from kedro_kubeflow.runtime.entry_points import read_once


@pytest.fixture
def original() -> Iterator[None]:
    before = importlib.metadata.entry_points
    yield
    importlib.metadata.entry_points = before


@pytest.mark.usefixtures("original")
def test_they_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = {group: set(importlib.metadata.entry_points(group=group)) for group in ("kedro.hooks", "console_scripts")}
    read_once()
    read_once()
    assert set(importlib.metadata.entry_points(group="kedro.hooks")) == plain["kedro.hooks"] != set()
    monkeypatch.setattr(importlib.metadata.PathDistribution, "read_text", lambda *_: pytest.fail("read again"))
    assert set(importlib.metadata.entry_points(group="console_scripts")) == plain["console_scripts"]
    assert [e.name for e in importlib.metadata.entry_points(group="kedro.hooks", name="kubeflow")] == ["kubeflow"]
    assert not importlib.metadata.entry_points(group="no.such.group")
