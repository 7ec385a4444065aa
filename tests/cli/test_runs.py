"""`runs`, `status`, `logs`, `terminate`, `retry`: one run from all sides."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kfp_server import KfpServer, Script
from kfp_server.specs import package

from cli.conftest import Kedro

Start = Callable[..., str]


@pytest.fixture
def start(server: KfpServer, kedro: Kedro, uploaded: dict[str, str]) -> Start:
    """Makes a run of an uploaded version, looked at so many times."""
    reference = {"pipeline_id": uploaded["pipeline_id"], "pipeline_version_id": uploaded["version_id"]}

    def made(script: Script | None = None, looks: int = 0, name: str = "a run") -> str:
        server.script(script or Script())
        run_id: str = server.runs.create({"display_name": name, "pipeline_version_reference": reference})["run_id"]
        for _ in range(looks):
            server.runs.get(run_id)
        return run_id

    return made


class TestEnd:
    """What MLflow says of a run's end, and scripts that want to know it."""

    def test_the_exit_code_on_request(self, kedro: Kedro, start: Start) -> None:
        failed = start(Script(failing="double"), looks=9)
        kedro("status", failed).ok()
        kedro("status", failed, "--exit-code").failed(1)
        kedro("status", start(looks=9), "--exit-code").ok()

    def test_nothing_is_repaired_while_it_runs(self, kedro: Kedro, start: Start) -> None:
        assert "there is nothing to repair yet" in kedro("status", start(), "--repair").failed(1).err

    def test_where_mlflow_has_no_run_of_it(self, kedro: Kedro, start: Start) -> None:
        refused = kedro("status", start(looks=9), "--repair").failed(5)
        assert "The MLflow run cannot be repaired: " in refused.err


class TestRuns:
    def test_the_latest_first(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        ids = [start(name=f"run {n}") for n in range(3)]
        lines = kedro("runs").ok().out.splitlines()
        assert lines[0].split() == ["NAME", "STATE", "STARTED", "TIME", "ID"]
        assert [line.split()[-1] for line in lines[1:]] == ids[::-1]
        assert "PENDING" in lines[1]
        assert len(kedro("runs", "-n", "2").ok().out.splitlines()) == 3

    def test_as_json(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        run_id = start(Script(failing="double"), looks=9)
        [run] = kedro("runs", "--output", "json").ok().json
        assert (run["run_id"], run["state"], run["canceled"]) == (run_id, "FAILED", False)
        assert run["link"] == f"{server.url}/#/runs/details/{run_id}"
        assert run["finished_at"] > run["created_at"]

    def test_of_one_pipeline(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        run_id = start()
        server.runs.create({"display_name": "other", "pipeline_spec": _spec()})
        assert [r["run_id"] for r in kedro("runs", "-p", "__default__", "--output", "json").ok().json] == [run_id]
        assert len(kedro("runs", "--output", "json").ok().json) == 2
        assert "no pipeline 'demo-other'" in kedro("runs", "-p", "other").failed(6).err

    def test_but_for_those_that_only_carried_code(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        run_id = start()
        server.runs.create({"display_name": "code 0123456789abcdef 1/3", "pipeline_spec": _spec()})
        assert [r["run_id"] for r in kedro("runs", "--output", "json").ok().json] == [run_id]

    def test_none(self, kedro: Kedro) -> None:
        assert kedro("runs").ok().err == "There are no runs.\n"


class TestStatus:
    def test_the_steps(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        run_id = start(looks=2)
        out = kedro("status", run_id).ok().out
        assert out.startswith("a run: RUNNING")
        states = [line.split()[:2] for line in out.splitlines()[2:5]]
        # The last one begins while its log is asked for, as the server has not told anything for long.
        assert states == [["prepare", "SUCCEEDED"], ["double", "RUNNING"], ["total", "RUNNING"]]
        assert out.endswith(f"{server.url}/#/runs/details/{run_id}\n")

    def test_by_its_link_as_json(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        run_id = start(Script(failing="double"), looks=9)
        words = "the input is empty\n  where: node double\n  cure:  fill it"
        server.runs.logs[run_id, "double"] = f"some line\nkedro-kubeflow: step 'double' failed\n{words}\n"
        run = kedro("status", f"{server.url}/#/runs/details/{run_id}?tab=0", "--output", "json").ok().json
        assert run["state"] == "FAILED"
        assert [(s["step"], s["state"], s["error"]) for s in run["steps"]] == [
            ("prepare", "SUCCEEDED", None),
            ("double", "FAILED", words),
            ("total", "SKIPPED", None),
        ]
        out = kedro("status", run_id).ok().out
        assert "double:\n  the input is empty\n    where: node double\n    cure:  fill it\n" in out

    def test_of_no_run(self, kedro: Kedro) -> None:
        assert "Run nope not found" in kedro("status", "nope").failed(6).err


class TestLogs:
    def test_of_all_steps_that_have_begun(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        run_id = start(Script(failing="double"), looks=9)
        out = kedro("logs", run_id).ok().out
        assert out == "--- prepare\nthe log of prepare\n--- double\nthe log of double\n"
        assert kedro("logs", run_id, "--output", "json").ok().json == {
            "prepare": "the log of prepare\n",
            "double": "the log of double\n",
        }

    def test_of_one_step(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        run_id = start(looks=9)
        assert kedro("logs", run_id, "double").ok().out == "the log of double\n"
        done = kedro("logs", run_id, "doubel").failed(6)
        assert "Did you mean 'double'?" in done.err

    def test_where_the_server_gives_none(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        run_id = start(looks=9)
        server.options.serves_logs = False
        assert "kubectl logs" in kedro("logs", run_id, "double").failed(6).err

    def test_of_a_run_that_has_not_begun(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        assert kedro("logs", start()).ok().err == "No step of the run has begun.\n"


class TestTerminate:
    def test_a_run(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        run_id = start(Script(stays=True), looks=2)
        assert kedro("terminate", run_id).ok().out == f"a run: CANCELING\n{server.url}/#/runs/details/{run_id}\n"
        assert kedro("terminate", run_id, "--output", "json").ok().json["state"] == "CANCELED"

    def test_one_that_has_ended(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        assert kedro("terminate", start(looks=9)).ok().out.startswith("a run: SUCCEEDED\n")


class TestRetry:
    def test_a_run(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        run_id = start(Script(failing="double"), looks=9)
        out = kedro("retry", run_id).ok().out
        assert out == f"a run: RUNNING\n{server.url}/#/runs/details/{run_id}\n"

    def test_and_wait(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        run_id = start(Script(failing="double"), looks=9)
        done = kedro("retry", run_id, "--wait-for-completion", "--output", "json").ok()
        assert done.json["state"] == "SUCCEEDED"
        assert "double: SUCCEEDED" in done.err.splitlines()

    def test_what_has_not_failed(self, server: KfpServer, kedro: Kedro, start: Start) -> None:
        assert "must be Failed/Error" in kedro("retry", start(looks=9)).failed(6).err


@pytest.mark.parametrize("command", ["status", "logs", "terminate", "retry"])
def test_a_run_must_be_named(kedro: Kedro, command: str) -> None:
    assert "Missing argument 'RUN'" in kedro(command).failed(2).err


def _spec() -> dict:
    import yaml

    spec: dict = yaml.safe_load(str(package()))
    return spec
