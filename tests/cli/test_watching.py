"""What the terminal tells of runs that the server has lost track of, of pods that wait, and of logs while they are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kfp_server import KfpServer, Script

from cli.conftest import Kedro, Outcome


@pytest.fixture(autouse=True)
def no_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")


@pytest.fixture
def run(kedro: Kedro) -> Callable[..., Outcome]:
    return lambda *words: kedro("run-once", "--output", "json", *words)


class TestLarge:
    """A run of which the server stops telling after its first step."""

    def test_a_success(self, server: KfpServer, run: Callable[..., Outcome]) -> None:
        server.script(Script(freezes=1))
        done = run("--wait-for-completion").ok().json
        assert [s["state"] for s in done["steps"]] == ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]

    def test_a_failure(self, server: KfpServer, run: Callable[..., Outcome], kedro: Kedro) -> None:
        server.script(Script(freezes=1, failing="double"))
        run_id = run().ok().json["run_id"]
        server.runs.logs[run_id, "double"] = "kedro-kubeflow: step 'double' failed\nno memory\n"
        while server.runs.get(run_id)["state"] != "FAILED":
            pass
        out = kedro("status", run_id).ok().out
        words = {line.split()[0]: line.split(maxsplit=2)[1:] for line in out.splitlines()[2:5]}
        assert words["prepare"][0] == "SUCCEEDED"
        assert words["double"][0] == "FAILED"
        assert "no memory" in words["double"][1]
        assert words["total"][0] == "UNKNOWN"
        assert "the server stopped telling of the run's tasks" in words["total"][1]


class TestPending:
    def test_status_says_why(self, server: KfpServer, run: Callable[..., Outcome], kedro: Kedro) -> None:
        server.options.face = "ui"
        server.script(Script(pending="double"))
        run_id = run().ok().json["run_id"]
        for _ in range(4):
            server.runs.get(run_id)
        [_, double, _] = kedro("status", run_id, "--output", "json").ok().json["steps"]
        assert (double["state"], double["reason"]) == ("PENDING", Script.why)
        assert "ImagePullBackOff" in kedro("status", run_id).ok().out

    def test_waiting_ends_with_the_reason(self, server: KfpServer, run: Callable[..., Outcome]) -> None:
        server.script(Script(pending="double"))
        done = run("--wait-for-completion", "--pending-timeout", "0.5").failed(7)
        assert "The pod of 'double' has waited for" in done.err
        assert "kubectl describe pod -n kubeflow demo-" in done.err
        [made] = server.runs.runs.values()
        assert made["state"] == "RUNNING"

    @pytest.mark.parametrize("length", ["soon", "-1", "nan", "1.5m"])
    def test_for_what_is_no_length_of_time(self, run: Callable[..., Outcome], server: KfpServer, length: str) -> None:
        done = run("--wait-for-completion", "--pending-timeout", length).failed(2)
        assert "Invalid value for '--pending-timeout'" in done.err
        assert not server.runs.runs

    def test_with_a_unit(self, server: KfpServer, run: Callable[..., Outcome]) -> None:
        server.script(Script(pending="double"))
        done = run("--wait-for-completion", "--pending-timeout", "1s", "--timeout", "1m").failed(7)
        assert "The pod of 'double' has waited for" in done.err


def test_logs_while_they_are_written(server: KfpServer, run: Callable[..., Outcome], kedro: Kedro) -> None:
    run_id = run().ok().json["run_id"]
    out = kedro("logs", run_id, "--follow").ok().out
    assert out == "--- prepare\nthe log of prepare\n--- double\nthe log of double\n--- total\nthe log of total\n"
    assert kedro("logs", run_id, "double", "-f").ok().out == "the log of double\n"
    assert "--follow prints text" in kedro("logs", run_id, "-f", "--output", "json").failed(2).err
