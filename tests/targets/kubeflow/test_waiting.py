"""Waiting: to any end, through anything."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from kfp_server import NO_UPSTREAM, Answer, Gate, KfpServer, Reset, Script, Slow, gateway

from kedro_kubeflow.errors import AuthError, ServerError, WaitTimeout
from kedro_kubeflow.targets.base.run import Run
from kedro_kubeflow.targets.base.waiting import Pace, Waiting
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from targets.kubeflow.conftest import Connect
from targets.kubeflow.test_connection import Bearer
from targets.kubeflow.test_runs import request

GET = "GET /apis/v2beta1/runs/"


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.at: dict[int, Callable[[], None]] = {}

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        self.at.pop(len(self.slept), lambda: None)()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def wait(client: KubeflowClient, run: Run, clock: Clock, **pace: float) -> list[Run]:
    look, link = client.look(run.id, clock=clock), client.address.run_link(run.id)
    return list(Waiting(look, Pace(**pace), link, "wait longer", clock=clock, sleep=clock.sleep).looks())


def test_to_success(client: KubeflowClient, clock: Clock) -> None:
    looks = wait(client, client.runs.start(request(client)), clock)
    assert [r.state for r in looks] == ["PENDING", "RUNNING", "RUNNING", "RUNNING", "SUCCEEDED", "SUCCEEDED"]
    assert [s.state for s in looks[2].steps] == ["SUCCEEDED", "RUNNING", "WAITING"]
    # The run ends before its last step does.
    assert [s.state for s in looks[-2].steps] == ["SUCCEEDED", "SUCCEEDED", "RUNNING"]
    assert [s.state for s in looks[-1].steps] == ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]
    assert clock.slept == pytest.approx([0.2, 0.3, 0.45, 0.675, 1.0125])


def test_to_failure(server: KfpServer, client: KubeflowClient, clock: Clock) -> None:
    server.script(Script(failing="split"))
    assert wait(client, client.runs.start(request(client)), clock)[-1].state == "FAILED"


def test_to_a_cancellation(server: KfpServer, client: KubeflowClient, clock: Clock) -> None:
    server.script(Script(stays=True))
    run = client.runs.start(request(client))
    clock.at[3] = lambda: client.runs.terminate(run.id)
    last = wait(client, run, clock)[-1]
    assert (last.state, last.canceled, last.ended) == ("CANCELED", True, True)


def test_no_longer_than_asked(server: KfpServer, client: KubeflowClient, clock: Clock) -> None:
    server.script(Script(stays=True))
    run = client.runs.start(request(client))
    with pytest.raises(WaitTimeout, match="RUNNING and goes on") as caught:
        wait(client, run, clock, timeout=30)
    assert clock.now <= 30
    assert caught.value.exit_code == 7
    assert caught.value.where == client.address.run_link(run.id)
    assert server.runs.runs[run.id]["state"] == "RUNNING"


@pytest.mark.parametrize(
    "fault",
    [NO_UPSTREAM, gateway(502, "x"), gateway(404, "no route to host"), Answer(500, b"{}"), Reset(), Slow(0.5)],
    ids=str,
)
def test_through_trouble(server: KfpServer, client: KubeflowClient, clock: Clock, fault: object) -> None:
    run = client.runs.start(request(client))
    server.faults.add(GET, fault, times=5)  # type: ignore[arg-type]
    assert wait(client, run, clock)[-1].succeeded


def test_through_a_restart(server: KfpServer, client: KubeflowClient, clock: Clock) -> None:
    run = client.runs.start(request(client))
    clock.at[2] = server.stop
    clock.at[6] = lambda: server.start()  # type: ignore[assignment, return-value]
    looks = wait(client, run, clock)
    assert looks[-1].succeeded
    assert len(clock.slept) > 6


def test_not_for_ever(server: KfpServer, client: KubeflowClient, clock: Clock) -> None:
    run = client.runs.start(request(client))
    clock.at[2] = server.stop
    with pytest.raises(ServerError, match="which goes on"):
        wait(client, run, clock, outage=60)
    assert 60 < clock.now < 80


def test_a_token_that_expires_meanwhile(server: KfpServer, client_of: Connect, clock: Clock) -> None:
    who = Bearer("first", "second", "third")
    client = client_of(server, credentials=who)
    run = client.runs.start(request(client))
    clock.at[1] = lambda: setattr(server, "gate", Gate({"second"}))
    clock.at[3] = lambda: setattr(server, "gate", Gate({"third"}, "login page"))
    assert wait(client, run, clock)[-1].succeeded
    assert who.renewals == 2


def test_a_token_that_cannot_be_renewed(server: KfpServer, client_of: Connect, clock: Clock) -> None:
    client = client_of(server)
    run = client.runs.start(request(client))
    clock.at[1] = lambda: setattr(server, "gate", Gate(set()))
    with pytest.raises(AuthError, match="goes on"):
        wait(client, run, clock)


def test_a_login_server_that_is_away_for_a_while(server: KfpServer, client_of: Connect, clock: Clock) -> None:
    """Whoever gives out tokens may be away too."""

    class Flaky(Bearer):
        away = 0

        def headers(self) -> dict[str, str]:
            if self.away:
                self.away -= 1
                raise ServerError("the token endpoint does not answer")
            return super().headers()

    who = Flaky("any")
    client = client_of(server, credentials=who)
    run = client.runs.start(request(client))
    clock.at[2] = lambda: setattr(who, "away", 3)
    assert wait(client, run, clock)[-1].succeeded


def test_a_run_that_somebody_deletes(server: KfpServer, client: KubeflowClient, clock: Clock) -> None:
    run = client.runs.start(request(client))
    clock.at[1] = lambda: server.runs.runs.clear()
    with pytest.raises(ServerError, match="somebody deleted it"):
        wait(client, run, clock)


def test_in_real_time(client: KubeflowClient) -> None:
    run = client.runs.start(request(client))
    waiting = Waiting(client.look(run.id), Pace(interval=0.01), "its page", "wait longer")
    assert list(waiting.looks())[-1].succeeded
