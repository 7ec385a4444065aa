from __future__ import annotations

import gc

import pytest

from kedro_kubeflow.runtime import garbage


def test_what_is_there_when_the_nodes_begin_is_not_looked_through_again() -> None:
    try:
        garbage.put_off()
        assert not gc.isenabled()
        garbage.look_again()
        assert gc.isenabled()
        assert gc.get_freeze_count()
    finally:
        gc.unfreeze()
        gc.enable()


def test_a_process_that_never_put_it_off_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "freeze", lambda: pytest.fail("frozen"))
    garbage.look_again()
    assert gc.isenabled()
