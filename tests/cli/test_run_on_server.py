"""A run on the server: started once, watched to its end, and what is said of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from kedro_project import KedroProject
from kfp_server import NO_UPSTREAM, Answer, Gate, KfpServer, Reset, Script

from cli.conftest import Kedro, Outcome

CREATE = r"POST /apis/v2beta1/runs$"


@pytest.fixture
def run(kedro: Kedro) -> Callable[..., Outcome]:
    return lambda *words: kedro("run-once", *words)


Run = Callable[..., Outcome]


def only_run(server: KfpServer) -> dict:
    [run] = server.runs.runs.values()
    return run


class TestStart:
    def test_its_id_and_link(self, server: KfpServer, run: Run) -> None:
        done = run("--run-name", "mine", "--experiment-name", "flights", "--service-account", "trainer").ok()
        made = only_run(server)
        assert done.out == f"{made['run_id']}\n"
        assert f"{server.url}/#/runs/details/{made['run_id']}" in done.err
        assert (made["display_name"], made["service_account"], made["state"]) == ("mine", "trainer", "PENDING")
        assert server.experiments.get(made["experiment_id"])["display_name"] == "flights"

    def test_as_json(self, server: KfpServer, run: Run) -> None:
        made = run("--output", "json").ok().json
        assert made["run_id"] == only_run(server)["run_id"]
        assert made["link"].endswith(made["run_id"])

    def test_what_it_is_called(self, server: KfpServer, run: Run, configure: Callable[..., None]) -> None:
        configure({"run_name": "train {model.type} {limit:03}", "experiment_name": "configured"})
        run().ok()
        assert only_run(server)["display_name"] == "train tree 004"
        assert server.experiments.get(only_run(server)["experiment_id"])["display_name"] == "configured"
        run("--params", "model.type=forest,limit=7").ok()
        assert [r["display_name"] for r in server.runs.runs.values()][1] == "train forest 007"

    def test_without_a_name_it_is_the_pipeline_and_the_time(self, server: KfpServer, run: Run) -> None:
        run().ok()
        assert only_run(server)["display_name"].startswith(f"Demo {time.strftime('%Y-%m-')}")
        assert server.experiments.get(only_run(server)["experiment_id"])["display_name"] == "Demo"

    def test_a_name_that_cannot_be_filled(self, server: KfpServer, run: Run) -> None:
        done = run("--run-name", "train {model.kind}").failed(2)
        assert "'model.kind'" in done.err
        assert server.runs.runs == {}

    def test_every_input_is_sent_so_that_kubeflow_shows_it(self, server: KfpServer, run: Run) -> None:
        run("--param", "limit=2").ok()
        assert only_run(server)["runtime_config"]["parameters"] == {"limit": 2}

    def test_text_that_the_server_s_database_has_no_characters_for(self, server: KfpServer, run: Run) -> None:
        server.options.charset = "latin-1"
        done = run("--run-name", "Ночь").failed(6)
        assert "the name 'Ночь'" in done.err
        assert "Incorrect string value" in done.err
        assert "is in no list" in done.err
        assert len(server.runs.orphans) == 1

    def test_a_namespace_on_a_server_without_any(
        self, server: KfpServer, run: Run, caplog: pytest.LogCaptureFixture
    ) -> None:
        run("--experiment-namespace", "team-a").ok()
        assert "'team-a' of the experiment is ignored" in caplog.text

    def test_parameters_are_compiled_in(self, server: KfpServer, run: Run) -> None:
        run("--param", "limit=2").ok()
        spec = only_run(server)["pipeline_spec"]
        assert spec["root"]["inputDefinitions"]["parameters"]["limit"]["defaultValue"] == 2

    def test_what_it_is_made_of_is_on_record(self, server: KfpServer, run: Run, configure: Callable[..., None]) -> None:
        configure({"description": "Why we do it", "service_account": "configured"})
        run().ok()
        lines = only_run(server)["description"].splitlines()
        assert lines[:3] == ["Why we do it", "", "project: Demo"]
        assert {line.split(":")[0] for line in lines[2:]} >= {"project", "pipeline", "env", "spec", "submission"}
        assert only_run(server)["service_account"] == "configured"

    def test_a_request_whose_answer_is_lost(self, server: KfpServer, run: Run) -> None:
        server.faults.add(CREATE, Reset(after=True))
        assert run().ok().out == f"{only_run(server)['run_id']}\n"

    def test_a_request_that_never_arrived(self, server: KfpServer, run: Run) -> None:
        server.faults.add(CREATE, NO_UPSTREAM)
        assert run().ok().out == f"{only_run(server)['run_id']}\n"

    def test_in_a_namespace(self, multi_user_server: KfpServer, run: Run, configure: Callable[..., None]) -> None:
        configure(host=multi_user_server.url, namespace="team-a")
        run().ok()
        run("--experiment-namespace", "team-b").ok()
        namespaces = [r["_namespace"] for r in multi_user_server.runs.runs.values()]
        assert namespaces == ["team-a", "team-b"]
        assert "may not get runs in the namespace 'others'" in run("--experiment-namespace", "others").failed(4).err

    @pytest.mark.parametrize("words", [("--timeout", "3"), ("--from-version", "latest"), ("--run-name", "x")])
    def test_its_options_are_not_for_this_machine(self, run: Run, words: tuple[str, str]) -> None:
        assert f"{words[0]} cannot be used together with --local" in run("--local", *words).failed(2).err


class TestFromVersion:
    def test_the_latest(self, server: KfpServer, run: Run, uploaded: dict[str, str]) -> None:
        run("--from-version", "latest", "--param", "limit=9").ok()
        reference = {"pipeline_id": uploaded["pipeline_id"], "pipeline_version_id": uploaded["version_id"]}
        assert only_run(server)["pipeline_version_reference"] == reference
        assert only_run(server)["display_name"].startswith("Demo 2")
        assert only_run(server)["runtime_config"]["parameters"] == {"limit": 9}

    @pytest.mark.parametrize("by", ["version", "version_id"])
    def test_by_name_and_id(self, server: KfpServer, run: Run, kedro: Kedro, uploaded: dict[str, str], by: str) -> None:
        first = uploaded
        kedro("upload-pipeline", "--force").ok()
        run("--from-version", first[by]).ok()
        assert only_run(server)["pipeline_version_reference"]["pipeline_version_id"] == first["version_id"]

    def test_what_is_not_there(self, server: KfpServer, run: Run, kedro: Kedro) -> None:
        assert "upload-pipeline" in run("--from-version", "latest").failed(6).err
        kedro("upload-pipeline").ok()
        assert "Did you mean 'demo'?" in run("--from-version", "deom").failed(6).err
        assert "takes no parameter 'limti'" in run("--from-version", "latest", "--param", "limti=1").failed(2).err
        assert "a whole number is expected" in run("--from-version", "latest", "--param", "limit=many").failed(2).err
        assert server.runs.runs == {}


class TestWait:
    def test_to_success(self, server: KfpServer, run: Run) -> None:
        done = run("--wait-for-completion").ok()
        lines = done.err.splitlines()[2:]
        assert (lines[:2], lines[-2:]) == (["run: PENDING", "run: RUNNING"], ["run: SUCCEEDED", "total: SUCCEEDED"])
        # What the steps' logs tell may be ahead of the server, which does not tell of all at once.
        for step in ("prepare", "double", "total"):
            assert lines.index(f"{step}: RUNNING") < lines.index(f"{step}: SUCCEEDED")
        assert ": SUCCEEDED, " in done.out.splitlines()[0]

    def test_as_configured(self, server: KfpServer, run: Run, configure: Callable[..., None]) -> None:
        configure({"wait_for_completion": True})
        assert run("--output", "json").ok().json["state"] == "SUCCEEDED"
        assert run("--output", "json", "--no-wait").ok().json["state"] == "PENDING"

    def test_to_failure(self, server: KfpServer, run: Run) -> None:
        server.script(Script(failing="double"))
        done = run("--wait-for-completion", "--output", "json").failed(1)
        assert done.json["state"] == "FAILED"
        run_id = done.json["run_id"]
        assert "The end of the log of 'double':\n  the log of double\n" in done.err
        assert "Error: The run ended FAILED in 'double'" in done.err
        assert f"kedro kubeflow logs {run_id} double" in done.err
        assert f"kedro kubeflow retry {run_id}" in done.err
        assert "Traceback" not in done.err

    def test_to_failure_without_logs(self, server: KfpServer, run: Run) -> None:
        server.options.serves_logs = False
        server.script(Script(failing="double"))
        done = run("--wait-for-completion").failed(1)
        assert "The log of 'double' cannot be shown" in done.err
        assert "kubectl logs -n kubeflow demo-" in done.err

    def test_to_a_cancellation(self, run: Run, server: KfpServer) -> None:
        server.script(Script(stays=True))
        looks = iter(range(99))
        get = server.runs.get

        def ended_by_somebody(run_id: str) -> dict:
            if next(looks) == 2:
                server.runs.terminate(run_id)
            return get(run_id)

        server.runs.get = ended_by_somebody  # type: ignore[method-assign]
        done = run("--wait-for-completion", "--output", "json").failed(1)
        assert (done.json["state"], done.json["canceled"]) == ("CANCELED", True)
        assert "The run was canceled" in done.err

    def test_while_the_token_changes(
        self, server: KfpServer, run: Run, configure: Callable[..., None], tmp_path: Path
    ) -> None:
        token = tmp_path / "token"
        token.write_text("first")
        configure(auth={"type": "bearer", "token": {"file": str(token)}})
        server.gate = Gate({"first"})
        looks = iter(range(99))
        get = server.runs.get

        def and_then_it_expires(run_id: str) -> dict:
            if next(looks) == 1:
                server.gate = Gate({"second"}, "login page")
                token.write_text("second")
            return get(run_id)

        server.runs.get = and_then_it_expires  # type: ignore[method-assign]
        assert run("--wait-for-completion", "--output", "json").ok().json["state"] == "SUCCEEDED"

    def test_no_longer_than_asked(self, server: KfpServer, run: Run) -> None:
        server.script(Script(stays=True))
        done = run("--wait-for-completion", "--timeout", "1").failed(7)
        assert "has not ended within 1 seconds; it is RUNNING and goes on" in done.err
        assert only_run(server)["state"] == "RUNNING"

    def test_through_trouble(self, server: KfpServer, run: Run) -> None:
        server.faults.add("GET /apis/v2beta1/runs/", Answer(500, b"{}"))
        server.faults.add("GET /apis/v2beta1/runs/", Reset())
        assert run("--wait-for-completion", "--output", "json").ok().json["state"] == "SUCCEEDED"


# Kedro says which logging configuration it takes before it loads any plugin, and by default on standard output.
LOGGING = {
    "version": 1,
    "handlers": {"stderr": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["stderr"]},
}


def process(demo: KedroProject, *words: str) -> subprocess.Popen[str]:
    logging = demo.write("logging.yml", json.dumps(LOGGING))
    return subprocess.Popen(
        [sys.executable, "-m", "kedro", "kubeflow", "run-once", *words],
        cwd=demo.path,
        env={**demo.environment(), "KEDRO_LOGGING_CONFIG": str(logging)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(true: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class TestInterrupt:
    """Ctrl-C in a process of its own."""

    @pytest.mark.parametrize("terminate", [False, True])
    def test_while_waiting(
        self, server: KfpServer, demo: KedroProject, configure: Callable[..., None], terminate: bool
    ) -> None:
        configure()
        server.script(Script(stays=True))
        words = ["--terminate-on-interrupt"] if terminate else []
        waiting = process(demo, "--wait-for-completion", "--output", "json", *words)
        until(lambda: len(server.requests("GET /apis/v2beta1/runs/")) > 2)
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate(timeout=30)
        run_id = only_run(server)["run_id"]
        assert waiting.returncode == 130
        assert out == ""
        assert "Traceback" not in err
        if terminate:
            assert f"The run is being ended: {server.url}/#/runs/details/{run_id}" in err
            assert only_run(server)["state"] in ("CANCELING", "FAILED")
        else:
            assert f"The run goes on: {server.url}/#/runs/details/{run_id}" in err
            assert f"kedro kubeflow terminate {run_id}" in err
            assert only_run(server)["state"] == "RUNNING"

    def test_a_live_view_on_a_terminal(
        self, server: KfpServer, demo: KedroProject, configure: Callable[..., None]
    ) -> None:
        pty = pytest.importorskip("pty")
        configure()
        server.script(Script(failing="double"))
        main, child = pty.openpty()
        done = subprocess.Popen(
            [sys.executable, "-m", "kedro", "kubeflow", "run-once", "--wait-for-completion"],
            cwd=demo.path,
            env={**demo.environment(), "TERM": "xterm"},
            stdout=child,
            stderr=child,
        )
        os.close(child)
        shown = b""
        while True:
            try:
                piece = os.read(main, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
        os.close(main)
        assert done.wait(30) == 1
        text = shown.decode()
        assert "\x1b[" in text
        assert "WAITING" in text
        assert "FAILED" in text
