"""Runs: started once, seen as they are, ended, tried again."""

from __future__ import annotations

import kfp
import pytest
from kfp_server import NO_UPSTREAM, Answer, KfpServer, Reset, Script, Slow, gateway
from kfp_server.specs import package

from kedro_kubeflow.errors import AuthError, ServerError
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.facts import fact
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun, RunRequest
from targets.kubeflow.conftest import Connect, settled

CREATE = r"POST /apis/v2beta1/runs$"


def request(client: KubeflowClient, **changes: object) -> RunRequest:
    experiment = client.experiments.ensure("flights")
    return RunRequest(**{"name": "r", "experiment": experiment, "source": package(), **changes})  # type: ignore[arg-type]


def to_the_end(client: KubeflowClient, run: KubeflowRun) -> KubeflowRun:
    while not run.ended:
        run = client.runs.get(run.id)
    return settled(client, run.id)


class TestStart:
    def test_of_a_compiled_pipeline(self, server: KfpServer, client: KubeflowClient) -> None:
        run = client.runs.start(
            request(
                client, parameters={"rate": 0.1}, service_account="trainer", description="why", pipeline_root="s3://b"
            )
        )
        made = server.runs.runs[run.id]
        assert made["service_account"] == "trainer"
        assert made["runtime_config"] == {"parameters": {"rate": 0.1}, "pipeline_root": "s3://b"}
        assert made["description"].startswith("why\n\nsubmission: ")
        assert made["pipeline_spec"]["pipelineInfo"]["name"] == "space-flights"
        assert "plugins_input" not in made

    def test_of_an_uploaded_version(self, server: KfpServer, client: KubeflowClient) -> None:
        version = client.uploads.upload(package()).version
        run = client.runs.start(request(client, source=version, plugins_input={"mlflow": {"disabled": True}}))
        assert (run.pipeline_id, run.version_id) == (version.pipeline_id, version.id)
        assert server.runs.runs[run.id]["plugins_input"] == {"mlflow": {"disabled": True}}

    def test_with_the_platform_half(self, server: KfpServer, client: KubeflowClient) -> None:
        whole = package(name="space-flights")
        text = f"{whole}---\nplatforms:\n  kubernetes: {{}}\n"
        run = client.runs.start(request(client, source=type(whole)(name="space-flights", text=text)))
        assert server.runs.runs[run.id]["pipeline_spec"]["platform_spec"] == {"platforms": {"kubernetes": {}}}

    def test_the_official_client_sees_the_same(self, server: KfpServer, client: KubeflowClient) -> None:
        run = client.runs.start(request(client))
        with pytest.warns(FutureWarning):
            official = kfp.Client(host=server.url)
        seen = official.wait_for_run_completion(run.id, timeout=10, sleep_duration=0)
        assert (seen.state, seen.display_name) == ("SUCCEEDED", "r")

    @pytest.mark.parametrize(
        ("changes", "what", "cure"),
        [
            ({"parameters": {"nope": 1}}, "not required by pipeline", ""),
            ({"name": ""}, "name is empty", ""),
        ],
        ids=["unknown", "no name"],
    )
    def test_what_the_server_refuses(
        self, server: KfpServer, client: KubeflowClient, changes: dict, what: str, cure: str
    ) -> None:
        with pytest.raises(ServerError, match=what) as caught:
            client.runs.start(request(client, **changes))
        assert cure in str(caught.value)
        assert len(server.requests("POST /apis/v2beta1/runs")) == 1


class TestOnce:
    """However the request fails, there is one run, or none and a word of it."""

    @pytest.mark.parametrize(
        "fault",
        [Reset(after=True), Slow(0.5), Answer(500, b"{}", after=True), gateway(504, "timeout")],
        ids=str,
    )
    def test_a_run_that_was_started_is_found(self, server: KfpServer, client: KubeflowClient, fault: object) -> None:
        wanted = request(client)
        twin = client.runs.start(wanted)
        fault = Answer(504, b"timeout", "text/plain", after=True) if getattr(fault, "status", 0) == 504 else fault
        server.faults.add(CREATE, fault)  # type: ignore[arg-type]
        run = client.runs.start(wanted)
        assert run.id != twin.id
        assert set(server.runs.runs) == {run.id, twin.id}

    @pytest.mark.parametrize(
        "fault", [Reset(), Answer(500, b"{}"), gateway(504, "timeout"), gateway(502, "x")], ids=str
    )
    def test_a_run_that_may_yet_start_is_not_started_again(
        self, server: KfpServer, client: KubeflowClient, fault: object
    ) -> None:
        wanted = request(client)
        server.faults.add(CREATE, fault)  # type: ignore[arg-type]
        with pytest.raises(ServerError, match="not sent a second time") as caught:
            client.runs.start(wanted)
        assert len(server.requests("POST /apis/v2beta1/runs")) == 1
        assert server.runs.runs == {}
        assert "kedro kubeflow runs" in str(caught.value.cure)

    def test_a_server_that_starts_it_while_we_look(self, server: KfpServer, client: KubeflowClient) -> None:
        wanted = request(client)
        server.faults.add(CREATE, Slow(0.5, after=False))
        import time

        client.server.connection.sleep = lambda seconds: time.sleep(min(seconds, 0.3))
        run = client.runs.start(wanted)
        assert set(server.runs.runs) == {run.id}

    @pytest.mark.parametrize("fault", [NO_UPSTREAM, gateway(429, "slow down")], ids=str)
    def test_a_request_that_never_arrived_is_sent_again(
        self, server: KfpServer, client: KubeflowClient, fault: object
    ) -> None:
        wanted = request(client)
        server.faults.add(CREATE, fault, times=2)  # type: ignore[arg-type]
        run = client.runs.start(wanted)
        assert set(server.runs.runs) == {run.id}

    def test_envoy_that_lost_the_server_is_not_trusted(self, server: KfpServer, client: KubeflowClient) -> None:
        wanted = request(client)
        text = "upstream connect error or disconnect/reset before headers. reset reason: connection termination"
        server.faults.add(CREATE, Answer(503, text.encode(), "text/plain", after=True))
        assert client.runs.start(wanted).id in server.runs.runs
        assert len(server.runs.runs) == 1

    def test_a_connection_that_was_closed_while_idle(self, server: KfpServer, client: KubeflowClient) -> None:
        wanted = request(client)
        with server.away():
            pass
        assert client.runs.start(wanted).id in server.runs.runs
        assert len(server.requests("POST /apis/v2beta1/runs")) == 1


class TestSteps:
    def test_each_step_at_each_time(self, server: KfpServer, client: KubeflowClient) -> None:
        run = client.runs.start(request(client))
        seen = []
        for _ in range(6):
            run = client.runs.get(run.id)
            seen.append("".join(s.state[0] for s in run.steps))
        assert seen == ["WWW", "RWW", "SRW", "SSR", "SSR", "SSS"]
        assert [s.name for s in run.steps] == ["split", "train", "report"]
        assert run.succeeded

    def test_of_an_uploaded_version(self, server: KfpServer, client: KubeflowClient) -> None:
        version = client.uploads.upload(package()).version
        run = to_the_end(client, client.runs.start(request(client, source=version)))
        assert [s.name for s in run.steps] == ["split", "train", "report"]

    def test_of_a_version_that_is_gone(self, server: KfpServer, client: KubeflowClient) -> None:
        version = client.uploads.upload(package()).version
        run = to_the_end(client, client.runs.start(request(client, source=version)))
        server.pipelines.delete_version(version.pipeline_id, version.id)
        assert {s.name for s in client.runs.get(run.id).steps} == {"split", "train", "report"}

    def test_a_failure(self, server: KfpServer, client: KubeflowClient) -> None:
        server.script(Script(failing="train"))
        run = to_the_end(client, client.runs.start(request(client)))
        assert (run.state, run.succeeded, run.canceled) == ("FAILED", False, False)
        [step] = run.failed_steps
        assert step.name == "train"
        assert run.steps[2].state == "SKIPPED"

    def test_a_run_that_is_not_there(self, client: KubeflowClient) -> None:
        with pytest.raises(ServerError, match="Run nope not found"):
            client.runs.get("nope")


class TestEnd:
    def test_a_terminated_run_is_cancelled_though_the_server_says_failed(
        self, server: KfpServer, client: KubeflowClient
    ) -> None:
        server.script(Script(stays=True))
        run = client.runs.start(request(client))
        client.runs.get(run.id)
        client.runs.terminate(run.id)
        assert client.runs.get(run.id).state == "CANCELING"
        run = to_the_end(client, run)
        assert server.runs.runs[run.id]["state"] == "FAILED"
        assert run.state == "CANCELED"
        assert run.canceled

    @pytest.mark.parametrize("fault", [Reset(), Reset(after=True), Answer(500, b"{}"), Slow(0.5)], ids=str)
    def test_terminating_goes_through_faults(self, server: KfpServer, client: KubeflowClient, fault: object) -> None:
        server.script(Script(stays=True))
        run = client.runs.start(request(client))
        server.faults.add("POST .*:terminate", fault)  # type: ignore[arg-type]
        client.runs.terminate(run.id)
        assert "CANCELING" in [s["state"] for s in server.runs.runs[run.id]["state_history"]]

    def test_a_run_that_has_ended_stays_as_it_is(self, server: KfpServer, client: KubeflowClient) -> None:
        run = to_the_end(client, client.runs.start(request(client)))
        client.runs.terminate(run.id)
        assert client.runs.get(run.id).state == "SUCCEEDED"

    def test_retry(self, server: KfpServer, client: KubeflowClient) -> None:
        server.script(Script(failing="train"))
        run = to_the_end(client, client.runs.start(request(client)))
        client.runs.retry(run.id)
        assert to_the_end(client, client.runs.get(run.id)).succeeded
        with pytest.raises(ServerError, match="must be Failed/Error"):
            client.runs.retry(run.id)

    def test_a_retry_whose_answer_is_lost(self, server: KfpServer, client: KubeflowClient) -> None:
        server.script(Script(failing="train"))
        run = to_the_end(client, client.runs.start(request(client)))
        server.faults.add("POST .*:retry", Reset(after=True))
        client.runs.retry(run.id)
        assert server.runs.runs[run.id]["state"] != "FAILED"
        assert len(server.requests(f"POST /apis/v2beta1/runs/{run.id}:retry")) == 1


class TestList:
    def test_the_latest_first_over_all_pages(self, server: KfpServer, client: KubeflowClient) -> None:
        experiment = client.experiments.ensure("flights")
        for n in range(120):
            server.runs.create({"display_name": f"r{n}", "experiment_id": experiment.id, "pipeline_spec": _SMALL})
        names = [r.name for r in client.runs.list()]
        assert names == [f"r{n}" for n in reversed(range(120))]
        assert len(server.requests("GET /apis/v2beta1/runs")) == 2
        assert [r.name for r in client.runs.list(limit=2)] == ["r119", "r118"]

    def test_of_one_experiment(self, server: KfpServer, client: KubeflowClient) -> None:
        client.runs.start(request(client))
        other = client.experiments.ensure("other")
        assert list(client.runs.list(experiment_id=other.id)) == []

    def test_of_a_namespace(self, multi_user_server: KfpServer, client_of: Connect) -> None:
        mine, others = (client_of(multi_user_server, namespace=n) for n in ("team-a", "team-b"))
        run = mine.runs.start(request(mine))
        assert [r.id for r in mine.runs.list()] == [run.id]
        assert list(others.runs.list()) == []
        with pytest.raises(AuthError):
            list(client_of(multi_user_server, namespace="others").runs.list())

    def test_the_mark_can_be_read(self, client: KubeflowClient) -> None:
        client.runs.start(request(client))
        [run] = client.runs.list()
        assert len(fact(run.description, "submission") or "") == 36


class TestExperiments:
    def test_made_once(self, server: KfpServer, client: KubeflowClient) -> None:
        first = client.experiments.ensure("flights")
        assert client.experiments.ensure("flights") == first
        assert client.experiments.names()[first.id] == "flights"

    @pytest.mark.parametrize("fault", [Reset(), Reset(after=True), Slow(0.5), Answer(500, b"{}", after=True)], ids=str)
    def test_made_once_through_faults(self, server: KfpServer, client: KubeflowClient, fault: object) -> None:
        server.faults.add("POST /apis/v2beta1/experiments", fault, times=2)  # type: ignore[arg-type]
        experiment = client.experiments.ensure("flights")
        assert [e["experiment_id"] for e in server.experiments.experiments.values()][1:] == [experiment.id]

    def test_somebody_was_faster(self, server: KfpServer, client: KubeflowClient) -> None:
        empty = Answer(200, b"{}")
        made = server.experiments.create({"display_name": "flights"})
        server.faults.add("GET /apis/v2beta1/experiments", empty)
        assert client.experiments.ensure("flights").id == made["experiment_id"]

    def test_archived(self, server: KfpServer, client: KubeflowClient) -> None:
        server.experiments.archive(client.experiments.ensure("flights").id)
        with pytest.raises(ServerError, match="archived"):
            client.experiments.ensure("flights")

    def test_in_another_namespace(self, multi_user_server: KfpServer, client_of: Connect) -> None:
        client = client_of(multi_user_server, namespace="team-a")
        there = client.experiments.ensure("flights", "team-b")
        assert multi_user_server.experiments.get(there.id)["namespace"] == "team-b"
        assert there != client.experiments.ensure("flights")


_SMALL = {
    "pipelineInfo": {"name": "p"},
    "root": {"dag": {"tasks": {"a": {"taskInfo": {"name": "a"}, "componentRef": {"name": "comp-a"}}}}},
    "components": {"comp-a": {"executorLabel": "exec-a"}},
}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Answer(500, b'{"code": 13, "message": "InternalServerError: Failed to insert: ' + b"x" * 9_000 + b'"}'),
            "InternalServerError: Failed to insert: xxx",
        ),
        (
            Answer(502, b"<html><style>h1 {}</style><h1>Bad Gateway</h1><script>go()</script></html>", "text/html"),
            "Bad Gateway",
        ),
        (Answer(500, b"pq: deadlock detected", "text/plain"), "pq: deadlock detected"),
    ],
)
@pytest.mark.parametrize("call", ["get", "terminate", "start"])
def test_what_the_server_says_of_its_own_errors_is_shown(
    server: KfpServer, client: KubeflowClient, answer: Answer, said: str, call: str
) -> None:
    """Shortened, without mark-up; and nobody is told that it did not answer."""
    asked = request(client)
    server.faults.add(".*/runs.*", answer, 99)
    with pytest.raises(ServerError) as caught:
        client.runs.start(asked) if call == "start" else getattr(client.runs, call)("x")
    text = str(caught.value)
    assert said in text
    assert "not answer" not in text
    assert len(text) < 1_200
    assert not any(mark in text for mark in ("<", "h1 {}", "go()"))
