"""What others tell of steps that the server has lost track of: the steps' tags in MLflow, the logs of their pods."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kfp_server import Answer, KfpServer, Options, Script

from kedro_kubeflow.contract import EXIT_DONE
from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.following import Following
from kedro_kubeflow.targets.kubeflow.logs import last_words, tail
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
from kedro_kubeflow.targets.kubeflow.steps import PodStep
from kedro_kubeflow.targets.kubeflow.told import Told
from kedro_kubeflow.targets.kubeflow.told_by_logs import told_in
from kedro_kubeflow.targets.kubeflow.told_by_mlflow import MlflowTags
from kedro_kubeflow.tracking import tags
from targets.kubeflow.conftest import Connect, settled
from targets.kubeflow.test_runs import request

DONE = "I1127 12:15:06.196194      15 launcher_v2.go:206] publish success.\n"
FATAL = "F1127 12:15:06.196194      15 main.go:59] failed to execute component: exit status 1\n"
WORDS = "the input is empty\n  where: node train\n  cure:  fill it"


def frozen(server: KfpServer, client: KubeflowClient, **script: object) -> KubeflowRun:
    """A run that has ended, of which the server tells no more than of its first step."""
    server.script(Script(freezes=1, **script))  # type: ignore[arg-type]
    run = client.runs.start(request(client))
    while not run.ended:
        run = client.runs.get(run.id)
    return run


class TestByLogs:
    def test_a_failure_with_its_last_words(self, server: KfpServer, client: KubeflowClient) -> None:
        run = frozen(server, client, failing="train")
        server.runs.logs[run.id, "train"] = f"loading\nkedro-kubeflow: step 'train' failed\n{WORDS}\n{DONE}{FATAL}"
        run = settled(client, run.id)
        assert [s.state for s in run.steps] == ["SUCCEEDED", "FAILED", "UNKNOWN"]
        assert run.steps[1].error == WORDS
        assert "stopped telling" in (run.steps[2].error or "")

    def test_where_nothing_is_told(self, server: KfpServer, client: KubeflowClient) -> None:
        server.options.serves_logs = False
        run = settled(client, frozen(server, client, failing="train").id)
        assert [s.state for s in run.steps] == ["SUCCEEDED", "UNKNOWN", "UNKNOWN"]

    def test_a_success_is_one_of_each_step(self, server: KfpServer, client: KubeflowClient) -> None:
        run = settled(client, frozen(server, client).id)
        assert [s.state for s in run.steps] == ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]
        assert server.requests("GET /apis/v1alpha1") == []

    @pytest.mark.parametrize(
        ("text", "state"), [(DONE, "SUCCEEDED"), (DONE + FATAL, "FAILED"), ("still at it\n", None), ("", None)]
    )
    def test_how_a_log_ends(self, text: str, state: str | None) -> None:
        told = told_in(text)
        assert (told.state if told else None) == state

    def test_an_exit_task_that_fails_with_its_run_has_done_its_work(self) -> None:
        told = told_in(f"The run has failed\n{EXIT_DONE}\n{DONE}{FATAL}")
        assert told == Told(state="FAILED", words=EXIT_DONE)
        step, at_exit = (PodStep(name=n, display_name=n, state="FAILED", at_exit=n == "end") for n in ("train", "end"))
        assert KubeflowRun(id="1", name="r", state="FAILED", steps=(step, at_exit)).failed_steps == (step,)
        assert KubeflowRun(id="1", name="r", state="FAILED", steps=(at_exit,)).failed_steps == (at_exit,)

    def test_what_kubeflow_and_argo_write_around_it_is_no_part_of_its_end(self) -> None:
        argo = 'time=2026-11-27T18:42:54.798Z level=INFO msg="capturing logs" argo=true\n'
        assert tail(f"{argo}first\nlast\n{DONE}{FATAL}", 2) == ["first", "last"]
        assert last_words(f"kedro-kubeflow: step 'a' failed\n{WORDS}\n{DONE}") == WORDS
        assert last_words("nothing of the kind") is None


def test_a_run_that_goes_on_while_the_server_is_behind(server: KfpServer, client: KubeflowClient) -> None:
    """Nothing has been told of any task for more than a minute; a log says that a step is further."""
    server.script(Script(freezes=1))
    run = client.runs.start(request(client))
    for _ in range(3):
        run = client.runs.get(run.id)
    assert ([s.state for s in run.steps], run.behind) == (["SUCCEEDED", "RUNNING", "WAITING"], True)
    server.runs.logs[run.id, "train"] = DONE
    found = client.look(run.id).now()
    assert [s.state for s in found.steps] == ["SUCCEEDED", "SUCCEEDED", "RUNNING"]


class TestByMlflow:
    @pytest.fixture
    def uri(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/mlflow.db"

    def test_the_steps_own_tags_go_first(self, server: KfpServer, client_of: Connect, uri: str) -> None:
        import mlflow

        client = client_of(server, ask=MlflowTags(uri).of)
        run = frozen(server, client, failing="train")
        known = mlflow.MlflowClient(uri)
        known.create_run(
            "0",
            tags={
                tags.RUN_ID: run.id,
                tags.step_key("split"): "succeeded in 1.0 s",
                tags.step_key("train"): "failed after 3.1 s: the input is empty",
                tags.step_error_key("train"): WORDS,
                tags.ERROR: "ValueError: the input is empty",
            },
        )
        found = settled(client, run.id)
        assert [s.state for s in found.steps] == ["SUCCEEDED", "FAILED", "UNKNOWN"]
        assert found.steps[1].error == WORDS
        assert found.steps[2].error == (
            "the server stopped telling of the run's tasks before they had ended; it has not said so in MLflow either; "
            "more could be known where `host` or `ui_host` is the address of Kubeflow's UI"
        )
        assert found.error == "ValueError: the input is empty"

    @pytest.mark.parametrize(
        ("script", "status"),
        [({}, "FINISHED"), ({"failing": "train"}, "FAILED")],
    )
    def test_a_run_that_its_exit_task_did_not_close_is_closed_from_here(
        self, server: KfpServer, client_of: Connect, uri: str, script: dict[str, str], status: str
    ) -> None:
        import mlflow

        before = mlflow.get_tracking_uri()
        ask = MlflowTags(uri, lambda: mlflow.set_tracking_uri(uri))
        run = frozen(server, client_of(server), **script)
        known = mlflow.MlflowClient(uri)
        said = "running train" if script else "succeeded in 1 s"
        made = known.create_run("0", tags={tags.RUN_ID: run.id, tags.step_key("train"): said})
        try:
            assert ask.of(run).mlflow["status"] == "RUNNING"
            assert ask.of(run, repairs=True).mlflow == {
                "run_id": made.info.run_id,
                "tracking_uri": uri,
                "status": status,
            }
        finally:
            mlflow.set_tracking_uri(before)
        now = known.get_run(made.info.run_id)
        assert now.info.status == now.data.tags[tags.FINAL_STATUS] == status
        assert (tags.FAILED_NODE in now.data.tags) is (status == "FAILED")

    def test_a_server_that_is_not_reached_is_no_error(self, server: KfpServer, client_of: Connect) -> None:
        ask = MlflowTags("http://127.0.0.1:9").of
        server.options.serves_logs = False
        client = client_of(server, ask=ask)
        found = settled(client, frozen(server, client, failing="train").id)
        assert "MLflow at http://127.0.0.1:9 cannot be asked" in (found.steps[1].error or "")


class TestByMetadata:
    """Kubeflow's own record, by messages that MLMD's own package for Python has written."""

    EXECUTIONS = (
        "0a380805100318032a110a08706f645f6e616d6512051a03702d312a140a097461736b5f6e616d6512071a05747261696e2a070a017812020804"
        "0a200806100318042a180a0c646973706c61795f6e616d6512081a067265706f7274"
    )
    CONTEXT = "0a1108071a0372756e2a080a016112031a0162"
    ARTIFACTS = (
        "0a4408011a406d696e696f3a2f2f6d6c706970656c696e652f76322f6172746966616374732f702f72756e2f747261696e2f757569642f657865"
        "6375746f722d6c6f67732d300a3a08021a366d696e696f3a2f2f6d6c706970656c696e652f76322f6172746966616374732f702f72756e2f7472"
        "61696e2f757569642f6d6f64656c"
    )

    @pytest.fixture
    def ui(self) -> Iterator[KfpServer]:
        with KfpServer(Options(face="ui", serves_logs=False)) as server:
            for part, message in (
                ("GetContextByTypeAndName", self.CONTEXT),
                ("GetExecutionsByContext", self.EXECUTIONS),
                ("GetArtifactsByContext", self.ARTIFACTS),
            ):
                data = bytes.fromhex(message)
                trailer = b"grpc-status:0\r\n"
                framed = (
                    b"\0" + len(data).to_bytes(4, "big") + data + b"\x80" + len(trailer).to_bytes(4, "big") + trailer
                )
                server.faults.add(f"POST /ml_metadata.*/{part}", Answer(200, framed, "application/grpc-web+proto"), 99)
            yield server

    def test_the_state_of_each_step(self, ui: KfpServer, client_of: Connect) -> None:
        client = client_of(ui)
        run = settled(client, frozen(ui, client, failing="report").id)
        assert [s.state for s in run.steps] == ["SUCCEEDED", "SUCCEEDED", "FAILED"]
        asked = ui.requests("POST /ml_metadata.MetadataStoreService/GetContextByTypeAndName")[0]
        assert asked.body[5:] == b"\n\x12system.PipelineRun\x12$" + run.id.encode()

    def test_a_log_that_the_launcher_has_kept(self, ui: KfpServer, client_of: Connect) -> None:
        client = client_of(ui)
        ui.faults.add("GET /artifacts/get", Answer(200, b"kept\n", "text/plain"))
        run = settled(client, frozen(ui, client, failing="report").id)
        assert client.logs.of(run, run.steps[1]) == "kept\n"
        [asked] = ui.requests("GET /artifacts/get")
        assert dict(asked.query) == {
            "source": "minio",
            "bucket": "mlpipeline",
            "key": "v2/artifacts/p/run/train/uuid/executor-logs-0",
        }
        with pytest.raises(ServerError, match="no log of it was archived"):
            client.logs.of(run, run.steps[0])


def test_following_a_run(server: KfpServer, client: KubeflowClient) -> None:
    server.script(Script(stays=True))
    run = client.runs.start(request(client))
    grown = iter(["a\n", "a\nb\n", "a\nb\nc\n"])

    def sleep(_: float) -> None:
        server.runs.logs[run.id, "split"] = next(grown, "a\nb\nc\n")
        if server.runs.logs[run.id, "split"].endswith("c\n"):
            server.runs.let_go(run.id)

    server.runs.logs[run.id, "split"] = ""
    pieces = [(step.name, text) for step, text in Following(client, run.id, sleep=sleep).pieces()]
    assert [text for name, text in pieces if name == "split"] == ["a\n", "b\n", "c\n"]
    assert pieces[-2:] == [("train", "the log of train\n"), ("report", "the log of report\n")]
