"""A step whose pod waits: that it does, and why."""

from __future__ import annotations

import pytest
from kfp_server import KfpServer, Options, Script

from kedro_kubeflow.errors import WaitTimeout
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.pending import PendingWatch, Pods, reason_of, warning_in
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
from targets.kubeflow.conftest import Connect, settled
from targets.kubeflow.test_runs import request

NODES = "Unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu."


def waiting(server: KfpServer, client: KubeflowClient, why: str = Script.why) -> KubeflowRun:
    server.script(Script(pending="train", why=why))
    run = client.runs.start(request(client))
    for _ in range(4):
        run = client.runs.get(run.id)
    return run


@pytest.fixture(autouse=True)
def no_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/nowhere/config")


@pytest.mark.parametrize("why", [Script.why, NODES])
def test_the_reason_by_way_of_the_ui(client_of: Connect, why: str) -> None:
    with KfpServer(Options(face="ui")) as server:
        client = client_of(server)
        run = waiting(server, client, why)
        assert [s.state for s in run.steps] == ["SUCCEEDED", "PENDING", "WAITING"]
        found = settled(client, run.id)
        assert [s.reason for s in found.steps] == [None, why, None]


def test_where_nobody_tells_it_says_what_to_look_at(server: KfpServer, client: KubeflowClient) -> None:
    run = waiting(server, client)
    step = settled(client, run.id).steps[1]
    pod = server.runs.pod(run.id, "train")
    assert step.reason == f"why is not known here; look at it with: kubectl describe pod -n kubeflow {pod}"


def test_while_waiting_it_is_told_after_a_minute_and_not_for_ever(client_of: Connect) -> None:
    with KfpServer(Options(face="ui")) as server:
        client = client_of(server)
        run = waiting(server, client)
        watch = PendingWatch(Pods(client.server), timeout=300)
        asked = len(server.requests("GET /k8s/pod"))
        assert watch.seen(run, 0).steps[1].reason is None
        assert watch.seen(run, 59).steps[1].reason is None
        assert len(server.requests("GET /k8s/pod")) == asked
        assert watch.seen(run, 61).steps[1].reason == Script.why
        assert watch.seen(run, 70).steps[1].reason == Script.why
        assert len(server.requests("GET /k8s/pod")) == asked + 1
        with pytest.raises(WaitTimeout, match="train' has waited for 300 seconds: ImagePullBackOff") as caught:
            watch.seen(run, 300)
        assert f"kedro kubeflow terminate {run.id}" in str(caught.value.cure)
        server.runs.let_go(run.id)
        run = client.runs.get(client.runs.get(run.id).id)
        assert watch.seen(run, 400).steps[1].state == "RUNNING"


POD = {"status": {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}}


def test_what_kubernetes_says_of_a_pod() -> None:
    assert reason_of({}) is None
    assert reason_of(POD) == "ContainerCreating"
    secret = {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}
    stuck = {"state": {"waiting": secret}}
    assert reason_of({"status": {"containerStatuses": [*POD["status"]["containerStatuses"], stuck]}}) == (  # type: ignore[misc]
        'CreateContainerConfigError: secret "db" not found'
    )
    mount = {"type": "Warning", "reason": "FailedMount", "message": 'claim "x" not found', "lastTimestamp": "2"}
    other = {"type": "Warning", "reason": "Older", "message": "", "lastTimestamp": "1"}
    assert warning_in({"items": [other, mount, {"type": "Normal"}]}) == 'FailedMount: claim "x" not found'
    assert warning_in([mount]) == 'FailedMount: claim "x" not found'
    assert warning_in({"items": []}) is None
