from __future__ import annotations

import pytest
from kfp_server import KfpServer, Options, Script

from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from targets.kubeflow.conftest import Connect
from targets.kubeflow.test_connection import Bearer
from targets.kubeflow.test_runs import request, to_the_end


def test_the_log_of_each_step(server: KfpServer, client: KubeflowClient) -> None:
    run = to_the_end(client, client.runs.start(request(client)))
    server.runs.logs[run.id, "train"] = "loss 0.5\nüber\n123"
    assert [client.logs.of(run, s) for s in run.steps] == [
        "the log of split\n",
        "loss 0.5\nüber\n123",
        "the log of report\n",
    ]


def test_a_log_that_is_json_stays_text(server: KfpServer, client: KubeflowClient) -> None:
    run = to_the_end(client, client.runs.start(request(client)))
    server.runs.logs[run.id, "split"] = '{"a": 1}'
    assert client.logs.of(run, run.steps[0]) == '{"a": 1}'


def test_by_way_of_the_ui(client_of: Connect) -> None:
    with KfpServer(Options(face="ui")) as server:
        client = client_of(server)
        run = to_the_end(client, client.runs.start(request(client)))
        assert client.logs.of(run, run.steps[0]) == "the log of split\n"


def test_a_ui_elsewhere_is_asked_where_there_are_no_credentials(client_of: Connect) -> None:
    with KfpServer(Options(serves_logs=False)) as server, KfpServer(Options(face="ui")) as elsewhere:
        client = client_of(server, ui_host=elsewhere.url)
        run = to_the_end(client, client.runs.start(request(client)))
        elsewhere.runs = server.runs
        assert client.logs.of(run, run.steps[0]) == "the log of split\n"


def test_credentials_do_not_go_to_another_ui(client_of: Connect) -> None:
    with (
        KfpServer(Options(serves_logs=False)) as server,
        KfpServer(Options(face="ui")) as elsewhere,
    ):
        client = client_of(server, ui_host=elsewhere.url, credentials=Bearer("secret"))
        run = to_the_end(client, client.runs.start(request(client)))
        with pytest.raises(ServerError):
            client.logs.of(run, run.steps[0])
    assert elsewhere.log == []


def test_a_server_that_gives_none_says_how_to_read_it(client_of: Connect) -> None:
    with KfpServer(Options(multi_user=True, serves_logs=False)) as server:
        client = client_of(server, namespace="team-a")
        run = to_the_end(client, client.runs.start(request(client)))
        with pytest.raises(ServerError, match="Could not read the log of 'split'") as caught:
            client.logs.of(run, run.steps[0])
    pod = run.steps[0].pods[0]
    assert "-system-container-impl-" in pod
    assert caught.value.cure == f"open the run in the UI, or: kubectl logs -n team-a {pod} -c main"
    assert caught.value.where == client.address.run_link(run.id)


def test_a_step_that_has_not_begun(server: KfpServer, client: KubeflowClient) -> None:
    server.script(Script(failing="split"))
    run = to_the_end(client, client.runs.start(request(client)))
    with pytest.raises(ServerError, match="it never ran"):
        client.logs.of(run, run.steps[2])
