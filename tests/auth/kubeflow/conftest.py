from __future__ import annotations

import pytest

from kedro_kubeflow.auth.kubeflow import http


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PAUSES", (0.05, 0.1, 0.2))
