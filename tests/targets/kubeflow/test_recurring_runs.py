from __future__ import annotations

from datetime import datetime, timezone

import pytest
from kfp_server import NO_UPSTREAM, Answer, KfpServer, Reset, Slow
from kfp_server.specs import package

from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.targets.base.schedule import Trigger
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.recurring_runs import RecurringRunRequest
from targets.kubeflow.conftest import Connect

CREATE = "POST /apis/v2beta1/recurringruns$"


def request(client: KubeflowClient, **changes: object) -> RecurringRunRequest:
    version = client.uploads.upload(package()).version
    plain = {
        "key": "space-flights/default",
        "name": "nightly",
        "experiment": client.experiments.ensure("flights"),
        "pipeline_id": version.pipeline_id,
        "version_id": version.id,
        "trigger": Trigger(cron="0 0 3 * * *"),
    }
    return RecurringRunRequest(**{**plain, **changes})  # type: ignore[arg-type]


def test_what_was_asked_for_is_there(client: KubeflowClient) -> None:
    start = datetime(2026, 3, 1, tzinfo=timezone.utc)
    wanted = request(
        client,
        trigger=Trigger(cron="0 30 2 * * MON-FRI", start_time=start),
        parameters={"rate": 0.3},
        max_concurrency=4,
        catchup=False,
        enabled=False,
        service_account="trainer",
    )
    made = client.recurring_runs.create(wanted)
    [listed] = client.recurring_runs.list()
    assert listed == made
    assert listed.trigger == wanted.trigger
    assert (listed.key, listed.name) == ("space-flights/default", "nightly")
    assert (listed.parameters, listed.max_concurrency, listed.catchup) == ({"rate": 0.3}, 4, False)
    assert (listed.enabled, listed.service_account) == (False, "trainer")
    assert (listed.pipeline_id, listed.version_id) == (wanted.pipeline_id, wanted.version_id)


def test_by_interval(client: KubeflowClient) -> None:
    made = client.recurring_runs.create(request(client, trigger=Trigger(interval=3600)))
    assert made.trigger == Trigger(interval=3600)
    assert made.enabled


def test_the_newest_version_at_each_start(server: KfpServer, client: KubeflowClient) -> None:
    made = client.recurring_runs.create(request(client, version_id=None))
    assert made.version_id is None
    later = client.uploads.upload(package(image="python:3.12")).version
    fired = server.recurring_runs.fire(made.id)
    assert fired["pipeline_version_reference"]["pipeline_version_id"] == later.id


@pytest.mark.parametrize("fault", [Reset(after=True), Slow(0.5), Answer(500, b"{}", after=True)], ids=str)
def test_one_that_was_made_is_found(server: KfpServer, client: KubeflowClient, fault: object) -> None:
    wanted = request(client)
    server.faults.add(CREATE, fault)  # type: ignore[arg-type]
    made = client.recurring_runs.create(wanted)
    assert set(server.recurring_runs.recurring) == {made.id}


@pytest.mark.parametrize("fault", [Reset(), Answer(500, b"{}")], ids=str)
def test_one_that_may_yet_be_made_is_not_made_again(server: KfpServer, client: KubeflowClient, fault: object) -> None:
    wanted = request(client)
    server.faults.add(CREATE, fault)  # type: ignore[arg-type]
    with pytest.raises(ServerError, match="not sent a second time"):
        client.recurring_runs.create(wanted)
    assert len(server.requests("POST /apis/v2beta1/recurringruns")) == 1


def test_a_request_that_never_arrived_is_sent_again(server: KfpServer, client: KubeflowClient) -> None:
    wanted = request(client)
    server.faults.add(CREATE, NO_UPSTREAM, times=2)
    made = client.recurring_runs.create(wanted)
    assert set(server.recurring_runs.recurring) == {made.id}


@pytest.mark.parametrize("fault", [Reset(), Reset(after=True), Slow(0.5), Answer(500, b"{}")], ids=str)
def test_deleting_goes_through_faults(server: KfpServer, client: KubeflowClient, fault: object) -> None:
    made = client.recurring_runs.create(request(client))
    server.faults.add("DELETE", fault)  # type: ignore[arg-type]
    client.recurring_runs.delete(made.id)
    assert server.recurring_runs.recurring == {}


def test_deleting_what_is_gone_is_no_error(client: KubeflowClient) -> None:
    client.recurring_runs.delete("nope")
    assert list(client.recurring_runs.list()) == []


def test_what_the_server_refuses(client: KubeflowClient) -> None:
    with pytest.raises(ServerError, match="max concurrency"):
        client.recurring_runs.create(request(client, max_concurrency=11))


def test_namespaces(multi_user_server: KfpServer, client_of: Connect) -> None:
    mine, others = (client_of(multi_user_server, namespace=n) for n in ("team-a", "team-b"))
    made = mine.recurring_runs.create(request(mine))
    assert [r.id for r in mine.recurring_runs.list()] == [made.id]
    assert list(others.recurring_runs.list()) == []
    assert [r.id for r in others.recurring_runs.list("team-a")] == [made.id]
