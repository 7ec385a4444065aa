"""`grouping: auto` goes by what the newest run has timed, here or on the cluster, and never waits long to hear of it."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from auth.guarded_mlflow import Guard, guarded
from conftest import MlflowServer, free_port
from kedro_project import KedroProject, make_project
from mlflow import MlflowClient

from kedro_kubeflow.project.facts import read_project
from kedro_kubeflow.project.node_times import Timed
from kedro_kubeflow.request import Request
from kedro_kubeflow.targets.base.known_times import with_times_of_mlflow

NOW = 1_780_000_000.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    return make_project(tmp_path_factory.mktemp("times"), mlflow={})


@pytest.fixture
def project(demo: KedroProject, mlflow_server: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> KedroProject:
    """A project whose experiment has the runs of this test alone."""
    monkeypatch.chdir(demo.path)
    shutil.rmtree(demo.path / ".kubeflow", ignore_errors=True)
    demo.write("experiment", uuid.uuid4().hex)
    configure(demo, mlflow_server.uri)
    return demo


def experiment(project: KedroProject) -> str:
    return (project.path / "experiment").read_text()


def configure(project: KedroProject, uri: str, by: str = "auto", **server: Any) -> None:
    tracking = {"experiment": {"name": experiment(project)}}
    project.conf("mlflow", {"server": {"mlflow_tracking_uri": uri, **server}, "tracking": tracking})
    project.conf("kubeflow", {"run_config": {"image": "demo:1", "grouping": by}})


def told(uri: str, project: KedroProject, at: float, **nodes: float) -> None:
    """A pipeline run whose step has said how long its nodes took."""
    client, name = MlflowClient(uri), experiment(project)
    known = client.get_experiment_by_name(name)
    home = known.experiment_id if known else client.create_experiment(name)
    said = json.dumps({"process": at - 9, "end": at, "nodes": nodes})
    step = "kubeflow_times.prepare"
    client.create_run(home, int(at * 1000), tags={"kubeflow_run_id": str(at), step: said})


def timed_here(project: KedroProject, at: float, **nodes: float) -> None:
    project.write(".kubeflow/runs/local-1/times/prepare.json", json.dumps({"end": at, "nodes": nodes}))


def known(project: KedroProject) -> tuple[dict[str, Timed], tuple[str, ...]]:
    facts, config = read_project(Request(path=project.path))
    found = with_times_of_mlflow(facts, config)
    return dict(found.node_times), found.notes


def test_the_newest_run_that_knows_a_node_counts(project: KedroProject, mlflow_server: MlflowServer) -> None:
    assert known(project) == ({}, ()), "an experiment that is not there yet is nothing to speak of"
    assert MlflowClient(mlflow_server.uri).get_experiment_by_name(experiment(project)) is None, "nor made"
    told(mlflow_server.uri, project, NOW - 100, prepare=3, double=30)
    told(mlflow_server.uri, project, NOW, prepare=4)
    timed_here(project, NOW - 50, prepare=1, double=10, total=7)
    assert known(project) == (
        {"prepare": Timed(4, NOW), "double": Timed(10, NOW - 50), "total": Timed(7, NOW - 50)},
        (),
    )


def test_the_plan_goes_by_it(project: KedroProject, mlflow_server: MlflowServer) -> None:
    told(mlflow_server.uri, project, NOW, prepare=100, double=200)
    out = project.kubeflow("plan").ok().out
    # Root and group 20 s, start 20, one step of 100 + 200 + 1 s, end 20.
    assert "381 s" in next(line for line in out.splitlines() if line.startswith("auto (chosen)")), out
    assert "1 of 3 nodes were timed by no run yet" in out


def test_who_groups_otherwise_asks_nobody(project: KedroProject) -> None:
    configure(project, f"http://127.0.0.1:{free_port()}", by="chain")
    assert known(project) == ({}, ())


def test_without_a_server_what_is_known_here_counts(project: KedroProject) -> None:
    uri = f"http://127.0.0.1:{free_port()}"
    configure(project, uri)
    timed_here(project, NOW, prepare=5)
    since = time.monotonic()
    times, (said,) = known(project)
    assert time.monotonic() - since < 5
    assert times == {"prepare": Timed(5, NOW)}
    assert said.startswith(f"`grouping: auto` goes by what runs on this machine have timed: MLflow at {uri} cannot be")
    assert "\n" not in said
    assert said in project.kubeflow("plan").ok().err


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_server_that_never_answers_is_not_waited_for(project: KedroProject, silent: str) -> None:
    configure(project, silent)
    since = time.monotonic()
    _, (said,) = known(project)
    assert time.monotonic() - since < 8
    assert f"MLflow at {silent} cannot be asked" in said


def test_it_is_asked_as_mlflow_yml_says(project: KedroProject, mlflow_server: MlflowServer) -> None:
    """With the credentials that steps have, and without the Kedro context: no hook of the project runs."""
    told(mlflow_server.uri, project, NOW, prepare=6)
    word = "Basic " + base64.b64encode(b"ann:secret").decode()
    with guarded(mlflow_server.uri, lambda given: given == word) as guard:
        assert isinstance(guard, Guard)
        configure(project, guard.url, credentials="mlflow")
        _, (refused,) = known(project)
        assert "it answers 401" in refused
        variables = {"MLFLOW_TRACKING_USERNAME": "ann", "MLFLOW_TRACKING_PASSWORD": "secret"}
        project.conf("credentials", {"mlflow": variables}, env="local")
        assert known(project) == ({"prepare": Timed(6, NOW)}, ())
        provider = {
            "type": "kedro_kubeflow.auth.mlflow.header_providers.BasicAuthRequestHeaderProvider",
            "pass_context": True,
            "init_kwargs": {"username": "ann", "password_env": "WORD"},
        }
        configure(project, guard.url, request_header_provider=provider)
        project.environ["WORD"] = "secret"
        done = project.kubeflow("plan").ok()
        assert "cannot be asked" not in done.err
