"""What the runtime sends with a secret goes to one address."""

from __future__ import annotations

from pathlib import Path

import pytest
from auth.loopback import Request, Response, as_json, redirect, serving

from kedro_kubeflow.errors import StepError
from kedro_kubeflow.runtime import kubeflow_api
from kedro_kubeflow.runtime.notification import notify
from kedro_kubeflow.runtime.outcome import Outcome

OUTCOME = Outcome(status="failed", failed_steps=(), run_id="run-1", pipeline="train")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_neither_token_nor_message_follow_a_redirect(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Request] = []

    def stranger(request: Request) -> Response:
        heard.append(request)
        return as_json({"state": "CANCELED"})

    (tmp_path / "token").write_text("sesame")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "token"))
    with serving(stranger) as other, serving(lambda _: redirect(f"{other}/x", status)) as url:
        monkeypatch.setenv("KF_PIPELINES_ENDPOINT", url)
        monkeypatch.setenv("WEBHOOK", f"{url}/hook/secret")
        assert kubeflow_api.was_cancelled("run") is None
        with pytest.raises(StepError, match=f"it answers {status}"):
            notify({"type": "webhook", "url_env": "WEBHOOK"}, OUTCOME, env=None, ui_host=None)
    assert heard == []
    assert "Kubeflow Pipelines does not tell" in caplog.text
