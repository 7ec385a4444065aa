"""A step whose pod waits: that it does, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from kfp_server import KfpServer, Options, Script

from kedro_kubeflow.errors import WaitTimeout
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.cluster import reason_of, warning_in
from kedro_kubeflow.targets.kubeflow.pending import PendingWatch, Pods
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
from targets.kubeflow.conftest import Connect, settled
from targets.kubeflow.kubernetes_stand_in import KubernetesStandIn, kubernetes_stand_in
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
    assert step.reason == (
        f"why is not known here; look at it with: kubectl describe pod -n kubeflow {pod}; where there is no such pod (no such "
        f"service account, a quota): kubectl get workflows -n kubeflow -l pipeline/runid={run.id} -o yaml"
    )


def test_a_pod_that_has_just_been_made_is_nothing_to_look_at(server: KfpServer, client: KubeflowClient) -> None:
    run = waiting(server, client)
    now = datetime.now(timezone.utc)
    for since, said in ((now, False), (now - timedelta(seconds=61), True)):
        steps = tuple(replace(step, turn_at=since) for step in client.runs.get(run.id).steps)
        found = client.pods.explained(replace(client.runs.get(run.id), steps=steps))
        assert bool(found.steps[1].reason) == said


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


class TestKubernetes:
    """Asked where a kubeconfig of this machine reaches it, and the UI's server cannot be asked."""

    @pytest.fixture
    def cluster(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[KubernetesStandIn]:
        with kubernetes_stand_in() as made:
            monkeypatch.setenv("KUBECONFIG", str(made.kubeconfig(tmp_path / "config")))
            yield made

    def reason(self, server: KfpServer, client: KubeflowClient, cluster: KubernetesStandIn, pod: dict[str, Any]) -> Any:
        run = waiting(server, client)
        name = server.runs.pod(run.id, "train")
        cluster.pods[name] = {"metadata": {"name": name}, **pod}
        for event in cluster.events:
            event["involvedObject"] = {"kind": "Pod", "name": name}
        return settled(client, run.id).steps[1].reason

    def test_a_secret_that_is_missing(
        self, server: KfpServer, client: KubeflowClient, cluster: KubernetesStandIn
    ) -> None:
        waits = {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "db" not found'}}
        pod = {"status": {"phase": "Pending", "containerStatuses": [{"name": "main", "state": waits}]}}
        assert self.reason(server, client, cluster, pod) == 'CreateContainerConfigError: secret "db" not found'

    def test_a_claim_that_is_missing(
        self, server: KfpServer, client: KubeflowClient, cluster: KubernetesStandIn
    ) -> None:
        said = '0/1 nodes are available: persistentvolumeclaim "models" not found.'
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": said}
        pod = {"status": {"phase": "Pending", "conditions": [condition]}}
        assert self.reason(server, client, cluster, pod) == f"Unschedulable: {said}"

    def test_a_volume_that_is_not_mounted_is_told_by_its_events_alone(
        self, server: KfpServer, client: KubeflowClient, cluster: KubernetesStandIn
    ) -> None:
        said = 'MountVolume.SetUp failed for volume "certs" : secret "certs" not found'
        cluster.events = [
            {"type": "Normal", "reason": "Scheduled", "message": "to node-1", "lastTimestamp": "2026-11-27T12:00:09Z"},
            {"type": "Warning", "reason": "FailedMount", "message": said, "lastTimestamp": "2026-11-27T12:00:05Z"},
        ]
        assert self.reason(server, client, cluster, POD) == f"FailedMount: {said}"

    @pytest.mark.parametrize("unbegun", ["argo", "root-driver"])
    def test_a_service_account_that_is_missing(
        self, server: KfpServer, client: KubeflowClient, cluster: KubernetesStandIn, unbegun: Any
    ) -> None:
        """No pod is ever made; Argo's workflow says why, and Kubeflow nothing."""
        said = 'pods "demo" is forbidden: error looking up service account kubeflow/x: serviceaccount "x" not found'
        server.script(Script(unbegun=unbegun))
        run = client.runs.start(request(client))
        node = {"type": "Pod", "phase": "Pending", "message": said}
        cluster.workflows[run.id] = {"metadata": {"name": "demo"}, "status": {"nodes": {"demo-1": node}}}
        for _ in range(3):
            run = client.runs.get(run.id)
        assert {step.state for step in run.steps} == {"WAITING"}
        assert settled(client, run.id).reason == said
        watch = PendingWatch(Pods(client.server), timeout=300)
        assert watch.seen(run, 0).reason is None
        assert watch.seen(run, 61).reason == said
        with pytest.raises(WaitTimeout, match="The run's first pod has waited for 300 seconds: pods"):
            watch.seen(run, 300)

    def test_where_it_does_not_tell_either(
        self, server: KfpServer, client: KubeflowClient, cluster: KubernetesStandIn
    ) -> None:
        """As with a kubeconfig of another cluster, or a token that it does not take."""
        cluster.token = "another"
        server.script(Script(unbegun="argo"))
        run = settled(client, client.runs.start(request(client)).id)
        assert run.reason == (
            "Argo has made no pod for it yet; why is not known here, look with: "
            f"kubectl get workflows -n kubeflow -l pipeline/runid={run.id} -o yaml"
        )
        assert cluster.asked


def test_a_driver_of_the_whole_graph_that_waits(client_of: Connect) -> None:
    with KfpServer(Options(face="ui")) as server:
        client = client_of(server)
        server.script(Script(unbegun="root-driver"))
        run = client.runs.start(request(client))
        for _ in range(3):
            run = client.runs.get(run.id)
        workflow = server.runs.courses[run.id].workflow
        assert (run.waits_for or "").startswith(f"{workflow}-system-dag-driver-")
        settled(client, run.id)
        [asked] = [r for r in server.requests("GET /k8s/pod") if r.path == "/k8s/pod"]
        assert dict(asked.query)["podname"] == run.waits_for
