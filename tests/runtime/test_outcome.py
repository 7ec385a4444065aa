"""What became of a run, from what KFP, MLflow or the API tells; messages about it over real sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from kedro_kubeflow.contract import LOCAL_ENV, STATES_FILE, StepCall
from kedro_kubeflow.errors import StepError
from kedro_kubeflow.runtime import kubeflow_api, notification
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.kubeflow_api import KubeflowRun, kubeflow_run, was_cancelled
from kedro_kubeflow.runtime.notification import notify, slack_message
from kedro_kubeflow.runtime.outcome import Ended, Outcome, outcome_of

CALL = StepCall(action="finish", step="on-exit-pipeline", pipeline="train")


def outcome(state: str | None, ended: Ended | None = None, message: str = "") -> Outcome:
    status = {"state": state, "error": {"message": message}} if state else None
    values = {"kubeflow-run-id": "run-1", "status": status}
    return outcome_of(CALL, Executor(json.dumps({"inputs": {"parameterValues": values}})), ended)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("COMPLETE", "succeeded"),
        ("SUCCEEDED", "succeeded"),
        ("FAILED", "failed"),
        ("CANCELED", "cancelled"),
        ("CANCELLED", "cancelled"),
        ("RUNNING", "failed"),
        (None, "failed"),
    ],
)
def test_the_status_from_kfp_alone(state: str | None, status: str) -> None:
    assert outcome(state).status == status


def test_mlflow_knows_best() -> None:
    steps = {"a": "succeeded in 1.0 s", "b": "failed after 2.0 s: boom", "c": "terminated after 3.0 s"}
    found = outcome("RUNNING", Ended("r1", "FAILED", steps, "ValueError: boom"), "Task failed.")
    assert (found.failed_steps, found.error, found.mlflow_run_id) == (("b", "c"), "ValueError: boom", "r1")
    assert outcome("RUNNING", Ended("r1", "FINISHED", {"a": "failed after 1 s"})).failed_steps == ()
    assert outcome("FAILED", Ended("r1", "KILLED", {})).status == "cancelled"


def test_steps_of_a_run_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / STATES_FILE).write_text(json.dumps({"a": "succeeded", "b": "failed"}))
    monkeypatch.setenv(LOCAL_ENV, str(tmp_path))
    found = outcome("FAILED", message="Task b failed.")
    assert found.facts() == {
        "status": "failed",
        "failed_steps": ["b"],
        "run_id": "run-1",
        "pipeline": "train",
        "error": "Task b failed.",
    }
    assert found.as_in_argo() == {
        "status": "Failed",
        "failures": [{"displayName": "b", "message": "Task b failed.", "phase": "Failed"}],
    }


Answer = Callable[[str, dict[str, str], bytes], tuple[int, Any]]


@pytest.fixture
def server() -> Iterator[Callable[[Answer], str]]:
    """A server on loopback that answers as it is told."""
    running: list[ThreadingHTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                code, value = answer(self.path, dict(self.headers), body)
                self.send_response(code)
                self.end_headers()
                self.wfile.write(json.dumps(value).encode())

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *args: Any) -> None: ...

        running.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=running[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{running[-1].server_port}"

    yield start
    for one in running:
        one.shutdown()
        one.server_close()


# As Kubeflow Pipelines 2.17 tells them: each of Argo's nodes, and its retry node.
TASKS = [
    {"display_name": "root", "state": "FAILED"},
    {"display_name": "root-driver", "state": "SUCCEEDED"},
    {"display_name": "root(0)", "state": "FAILED"},
    {"display_name": "demo-x7k2p(0)", "state": "FAILED"},
    {"display_name": "executor(0)", "state": "FAILED"},
    {"display_name": "exit-handler-1(0)", "state": "FAILED"},
    {"display_name": "exit-handler-1-driver", "state": "SUCCEEDED"},
    {"display_name": "exit-handler-1.onExit", "state": "FAILED"},
    {"display_name": "train(0)", "state": "FAILED"},
    {"display_name": "ns-other-1234abcd-driver", "state": "SUCCEEDED"},
    {"display_name": "ns-other-1234abcd", "state": "FAILED"},
    {"display_name": "mlflow-end-run-driver", "state": "SUCCEEDED"},
    {"display_name": "demo-x7k2p", "state": "FAILED"},
    {"display_name": "exit-handler-1", "state": "FAILED"},
    {"display_name": "train-driver", "state": "FAILED"},
    {"display_name": "executor", "state": "FAILED"},
    {"display_name": "train", "state": "FAILED"},
    {"display_name": "prepare", "state": "SUCCEEDED"},
    {"display_name": "mlflow-end-run", "state": "FAILED"},
]


SPEC = {
    "root": {"dag": {"tasks": {"exit-handler-1": {"taskInfo": {"name": "kedro"}}, "mlflow-end-run": {}}}},
    "components": {
        "comp-exit-handler-1": {
            "dag": {
                "tasks": {
                    "train": {"taskInfo": {"name": "train"}},
                    "ns-other-1234abcd": {"taskInfo": {"name": "ns.other"}},
                }
            }
        }
    },
}


@pytest.mark.parametrize(
    ("more", "told"),
    [({"pipeline_spec": {"pipeline_spec": SPEC}}, ("ns.other", "train")), ({}, ("ns-other-1234abcd", "train"))],
)
def test_the_api_tells_which_steps_failed(
    server: Callable[[Answer], str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    more: dict[str, Any],
    told: tuple[str, ...],
) -> None:
    asked: list[tuple[str, str]] = []

    def answer(path: str, headers: dict[str, str], _body: bytes) -> tuple[int, Any]:
        asked.append((path, headers.get("Authorization", "")))
        return 200, {"display_name": "demo-x7k2p", "run_details": {"task_details": TASKS}, **more}

    (tmp_path / "token").write_text("t0ken\n")
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", server(answer) + "/")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "token"))
    assert outcome("FAILED").failed_steps == told
    assert set(asked) == {("/apis/v2beta1/runs/run-1", "Bearer t0ken")}


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "ml-pipeline:8888", ""])
def test_an_api_that_does_not_answer_is_no_error(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", endpoint)
    assert kubeflow_run("run-1") == KubeflowRun()
    assert was_cancelled("run-1") is None


@pytest.mark.parametrize(
    ("history", "cancelled"),
    [
        (["PENDING", "RUNNING", "CANCELING", "FAILED"], True),
        (["PENDING", "RUNNING", "CANCELING"], True),
        (["PENDING", "RUNNING", "FAILED"], False),
        (["PENDING", "RUNNING", "CANCELING", "FAILED", "RUNNING"], False),
        (["PENDING", "RUNNING", "CANCELING", "FAILED", "RUNNING", "FAILED"], False),
        ([], False),
    ],
)
def test_only_the_history_says_that_somebody_ended_a_run(history: list[str], cancelled: bool) -> None:
    entry = {"state": (history or ["RUNNING"])[-1], "state_history": [{"state": state} for state in history]}
    assert KubeflowRun(entry).cancelled is cancelled


def test_a_run_that_was_retried_and_went_well_is_told_by_the_api_alone(
    server: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit task is told FAILED of the attempt before; what the API tells of tasks lags behind."""
    monkeypatch.setattr(kubeflow_api, "_PAUSE", 0.01)
    states = iter(["RUNNING", "RUNNING", "SUCCEEDED", "SUCCEEDED"])

    def answer(*_: Any) -> tuple[int, Any]:
        return 200, {"run_details": {"task_details": [{"display_name": "exit-handler-1", "state": next(states)}]}}

    monkeypatch.setenv("KF_PIPELINES_ENDPOINT", server(answer))
    assert outcome("FAILED").status == "succeeded"


FAILED = Outcome(status="failed", failed_steps=("a<b",), run_id="run-1", pipeline="train", error="x & y\nz")


def test_a_message_goes_through_trouble(server: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notification, "_PAUSES", (0.0, 0.0))
    received: list[Any] = []

    def answer(_path: str, _headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        received.append(json.loads(body))
        return (503, {}) if len(received) == 1 else (200, {})

    monkeypatch.setenv("HOOK", server(answer) + "/s3cret")
    notify({"type": "webhook", "url_env": "HOOK"}, FAILED, env="prod", ui_host="https://kf.example.com")
    assert len(received) == 2
    assert received[1] == {
        **FAILED.facts(),
        "env": "prod",
        "run_url": "https://kf.example.com/#/runs/details/run-1",
    }


def test_an_address_is_never_said(server: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notification, "_PAUSES", (0.0,))
    monkeypatch.setenv("HOOK", server(lambda *_: (404, {})) + "/s3cret")
    with pytest.raises(StepError, match="it answers 404") as refused:
        notify({"type": "slack", "url_env": "HOOK"}, FAILED, env=None, ui_host=None)
    monkeypatch.setenv("HOOK", "http://127.0.0.1:1/s3cret")
    with pytest.raises(StepError, match=r"127\.0\.0\.1 is not taken") as unreachable:
        notify({"type": "slack", "url_env": "HOOK"}, FAILED, env=None, ui_host=None)
    monkeypatch.setenv("HOOK", "s3cret")
    with pytest.raises(StepError, match="HOOK holds none") as malformed:
        notify({"type": "slack", "url_env": "HOOK"}, FAILED, env=None, ui_host=None)
    for error in (refused, unreachable, malformed):
        assert "s3cret" not in str(error.value)


def test_slack_is_shown_text_as_text() -> None:
    text = slack_message({**FAILED.facts(), "run_url": "https://kf/#/runs/details/run-1"})["text"]
    assert text.splitlines() == [
        ":x: *train* failed: run <https://kf/#/runs/details/run-1|run-1>",
        "Failed: `a&lt;b`",
        "> x &amp; y z",
    ]
