"""Code that reaches Kubeflow by nothing but its API: in the run itself, or by runs of its own, once for each digest."""

from __future__ import annotations

import base64
import os
from dataclasses import replace

import pytest
from kedro_project import KUBEFLOW, KedroProject, make_project
from kfp_server import KfpServer
from kfp_server.fixtures import server
from kfp_server.progress import Script

from kedro_kubeflow.code.archive import Archive
from kedro_kubeflow.contract import StepCall, runtime_arguments
from kedro_kubeflow.prepared import Prepared
from kedro_kubeflow.request import Request
from kedro_kubeflow.results.artifact import RunArtifact, line_of
from kedro_kubeflow.targets.base.prepare import prepare
from kedro_kubeflow.targets.base.waiting import Pace
from kedro_kubeflow.targets.kubeflow import code_carrier, connect
from kedro_kubeflow.targets.kubeflow.connection import Patience

__all__ = ["server"]
PACE = Pace(first=0.01, interval=0.01, timeout=20, settle=1)
QUICK = Patience(connect=2, read=5, pauses=(0.01,))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    project: KedroProject = make_project(tmp_path_factory.mktemp("carried"))
    project.conf("kubeflow", {**KUBEFLOW, "code": {"keep": 1}})
    return prepare(Request(path=project.path))


def archive(size: int, digest: str = "ab" * 32) -> Archive:
    return Archive(os.urandom(size), digest)


def test_small_code_goes_in_the_first_tasks_arguments(prepared: Prepared, server: KfpServer) -> None:
    code = code_carrier.carry(connect(server.url, patience=QUICK), archive(7_000), prepared)
    assert code.content is not None
    assert server.requests("POST /apis/v2beta1/runs") == []


def logs_of(server: KfpServer, uri: str) -> Script:
    told = line_of(RunArtifact(dataset="project-code", step="project-code", type="Artifact", uri=uri))
    return Script(says={"project-code": f"{told}\n"})


def test_large_code_is_carried_once_in_portions_and_old_ones_are_cleared_away(
    prepared: Prepared, server: KfpServer
) -> None:
    client, large = connect(server.url, patience=QUICK), archive(150_000)
    server.script(*(logs_of(server, f"minio://b/part{n}") for n in (1, 2, 3)))
    code = code_carrier.carry(client, large, prepared, PACE)
    assert code.uris == ("minio://b/part1", "minio://b/part2", "minio://b/part3")
    assert code.content is None
    sent = [run["pipeline_spec"] for run in server.runs.runs.values()]
    portions = {}
    for spec in sent:
        container = spec["deploymentSpec"]["executors"]["exec-project-code"]["container"]
        call, _ = StepCall.from_argv(runtime_arguments([*container["command"], *container["args"]]))
        portions[len(portions)] = base64.b64decode(call.settings["code"]["inline"])
    assert b"".join(portions[n] for n in sorted(portions)) == large.content
    before = len(server.runs.runs)
    assert code_carrier.carry(client, large, prepared, PACE).uris == code.uris
    assert len(server.runs.runs) == before
    server.script(*(logs_of(server, f"minio://b/new{n}") for n in (1, 2, 3)))
    other = replace(large, digest="cd" * 32)
    assert code_carrier.carry(client, other, prepared, PACE).uris[0] == "minio://b/new1"
    assert len(server.runs.runs) == 3
