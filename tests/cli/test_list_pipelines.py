from __future__ import annotations

from collections.abc import Callable

from kfp_server import Answer, Gate, KfpServer

from cli.conftest import Kedro


def test_all_pages_as_a_table(server: KfpServer, kedro: Kedro) -> None:
    for n in range(250):
        server.pipelines.create({"name": f"pipeline-{n}", "display_name": f"Pipeline {n}", "description": "d"})
    lines = kedro("list-pipelines").ok().out.splitlines()
    assert lines[0].split() == ["NAME", "SHOWN", "AS", "CREATED", "ID"]
    assert lines[1].split()[:3] == ["pipeline-249", "Pipeline", "249"]
    assert len(lines) == 251
    ids = {line.split()[-1] for line in lines[1:]}
    assert ids == set(server.pipelines.pipelines)


def test_as_json(server: KfpServer, kedro: Kedro) -> None:
    made = server.pipelines.create({"name": "p", "display_name": "Ünïcode [red]name[/red]"})
    [listed] = kedro("list-pipelines", "--output", "json").ok().json
    assert listed["pipeline_id"] == made["pipeline_id"]
    assert listed["display_name"] == "Ünïcode [red]name[/red]"
    assert listed["created_at"] == made["created_at"]
    assert listed["link"] == f"{server.url}/#/pipelines/details/{made['pipeline_id']}"


def test_names_are_no_markup(server: KfpServer, kedro: Kedro) -> None:
    server.pipelines.create({"name": "p", "display_name": "[red]name[/red]"})
    assert "[red]name[/red]" in kedro("list-pipelines").ok().out


def test_nothing(kedro: Kedro) -> None:
    done = kedro("list-pipelines").ok()
    assert (done.out, done.err) == ("", "There are no pipelines on the server.\n")
    assert kedro("list-pipelines", "--output", "json").ok().json == []


def test_a_refused_login(server: KfpServer, kedro: Kedro) -> None:
    server.gate = Gate(set(), "redirect")
    assert "Dex wants a login, and no credentials were sent" in kedro("list-pipelines").failed(4).err


def test_a_server_that_is_away(server: KfpServer, kedro: Kedro) -> None:
    with server.away():
        done = kedro("list-pipelines").failed(6)
    assert "nobody listens" in done.err


def test_an_answer_that_is_none(server: KfpServer, kedro: Kedro) -> None:
    server.faults.add("GET", Answer(400, b"<html><body>boom</body></html>", "text/html"))
    done = kedro("list-pipelines").failed(6)
    assert "Could not reach Kubeflow Pipelines: boom" in done.err
    assert "<html>" not in done.err


def test_the_versions_of_a_pipeline(kedro: Kedro, uploaded: dict[str, str]) -> None:
    kedro("upload-pipeline", "--force").ok()
    lines = kedro("list-pipelines", "--versions-of", "demo").ok().out.splitlines()
    assert len(lines) == 3
    assert lines[2].split()[0] == uploaded["version"]
    listed = kedro("list-pipelines", "--versions-of", "demo", "--output", "json").ok().json
    assert listed[1]["version_id"] == uploaded["version_id"]
    assert "no pipeline 'nope'" in kedro("list-pipelines", "--versions-of", "nope").failed(6).err


def test_a_namespace(multi_user_server: KfpServer, kedro: Kedro, configure: Callable[..., None]) -> None:
    multi_user_server.pipelines.create({"name": "p", "namespace": "team-a"})
    configure(host=multi_user_server.url)
    assert "several users" in kedro("list-pipelines").failed(2).err
    configure(host=multi_user_server.url, namespace="team-a")
    assert [p["name"] for p in kedro("list-pipelines", "--output", "json").ok().json] == ["p"]
    configure(host=multi_user_server.url, namespace="others")
    assert "someone@example.com may not get runs in the namespace 'others'" in kedro("list-pipelines").failed(4).err
