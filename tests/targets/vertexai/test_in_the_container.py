"""A whole run: submitted by the command line, parsed by Google's messages, run container by container under a stand-in /gcs.

Everybody is who the metadata server says: the command for Vertex AI's API, the containers for an MLflow server that lets in
whoever shows an ID token for its OAuth client.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

pytest.importorskip("google.cloud.aiplatform_v1", reason="google-cloud-aiplatform is not installed")

from auth.google_stand_in import DEFAULT_ACCOUNT, Google, google
from auth.guarded_mlflow import guarded
from conftest import MlflowServer
from google.cloud.aiplatform_v1 import types
from google.protobuf import json_format
from kedro_project import KedroProject, Result, make_project

from targets.vertexai.containers import Containers
from targets.vertexai.vertex_server import STATES, Script, VertexServer, vertex_server

CLIENT_ID = "123.apps.googleusercontent.com"
PIPELINE = """
import os
from kedro.pipeline import Pipeline, node

def prepare(raw, limit):
    assert os.environ["GCP_PROJECT_ID"] == "my-project" and os.environ["GCP_REGION"] == "europe-west1"
    assert os.environ["KEDRO_CONFIG_JOB_NAME"].startswith("demo-20")
    if limit > 100:
        raise ValueError("too much")
    return [x for x in raw if x < limit]

def total(rows, limit):
    assert os.environ["KEDRO_CONFIG_RUN_ID"] == "987654321"
    return {"total": sum(rows)}

def create_pipeline():
    return Pipeline([
        node(prepare, ["raw", "params:limit"], "rows", name="prepare"),
        node(total, ["rows", "params:limit"], "report", name="total"),
    ])
"""


@dataclass(frozen=True)
class Done:
    """What the command said, and what the containers left behind."""

    result: Result
    project: KedroProject
    server: VertexServer
    containers: Containers


def mlflow_run(containers: Containers) -> Any:
    """The one run of a job."""
    from mlflow import MlflowClient

    client = MlflowClient(containers.env["BEHIND_THE_GUARD"])
    experiments = [e.experiment_id for e in client.search_experiments()]
    [run] = client.search_runs(experiments, filter_string=f"tags.vertexai_job_name = '{containers.job}'")
    return run


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    made = make_project(tmp_path_factory.mktemp("vertex"), pipelines=PIPELINE, mlflow={})
    (made.path / "gcs-root/etc").mkdir(parents=True)
    (made.path / "gcs-root/etc/hosts").write_text("127.0.0.1\tlocalhost")
    return made


@pytest.fixture(scope="module")
def success(
    project: KedroProject, mlflow_server: MlflowServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Done]:
    with ExitStack() as stack:
        stand_in = stack.enter_context(google(tmp_path_factory.mktemp("google")))
        server = stack.enter_context(vertex_server())
        guard = stack.enter_context(guarded(mlflow_server.uri, lambda header: _is_whom_vertex_says(stand_in, header)))
        provider = {"type": "kedro_kubeflow.auth.gcp.MLFlowGoogleOauthRequestHeaderProvider", "pass_context": True}
        project.conf("mlflow", {"server": {"mlflow_tracking_uri": guard.url, "request_header_provider": provider}})
        identity = stand_in.environment(metadata=True)
        server.lets_in = lambda header: (header or "").removeprefix("Bearer ") in stand_in.issued
        server.script = Script(driven=True)
        made: list[Containers] = []
        env = {
            **identity,
            "DO_NOT_TRACK": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "BEHIND_THE_GUARD": mlflow_server.uri,
        }
        server.on_submit = lambda job: threading.Thread(target=_execute, args=(server, job, project, env, made)).start()
        vertexai = {
            "project_id": "my-project",
            "region": "europe-west1",
            "root": "gs://my-bucket/runs",
            "api_endpoint": server.url,
            "experiment_name": "demo",
            "network": {"host_aliases": [{"ip": "10.0.0.1", "hostnames": ["mlflow.internal", "m"]}]},
        }
        run_config = {
            "image": "europe-docker.pkg.dev/my-project/r/demo:1",
            "cache": {"prepare": True},
            "mlflow": {"request_header_provider_params": {"client_id": CLIENT_ID}},
        }
        project.conf("kubeflow", {"vertexai": vertexai, "run_config": run_config})
        words = ("run-once", "--wait-for-completion", "--run-name", "limit {limit}")
        result = project.kedro("kubeflow", *words, env=identity)
        assert not server.problems
        yield Done(result, project, server, made[0])


def _is_whom_vertex_says(stand_in: Google, authorization: str | None) -> bool:
    claims = stand_in.claims(authorization) or {}
    return (claims.get("aud"), claims.get("email")) == (CLIENT_ID, DEFAULT_ACCOUNT)


def _execute(
    server: VertexServer, job: Any, project: KedroProject, env: Mapping[str, str], made: list[Containers]
) -> None:
    spec = json_format.MessageToDict(types.PipelineJob.pb(job).pipeline_spec)
    containers = _containers(project, job.name.rpartition("/")[2], spec=spec, env=env)
    made.append(containers)
    end = containers.run()
    server.tell(job, containers.states, STATES[f"PIPELINE_STATE_{end}"])


def _containers(project: KedroProject, job: str, **more: Any) -> Containers:
    place = {"root": "gs://my-bucket/runs", "gcs": project.path / "gcs-root", "project": project.path}
    return Containers(job=job, **place, **more)


def _again(done: Done, job: str, **more: Any) -> Containers:
    known = {"spec": done.containers.spec, "env": done.containers.env}
    return _containers(done.project, job, **{**known, **more})


class TestSuccess:
    def test_the_command(self, success: Done) -> None:
        success.result.ok()
        lines = success.result.err.splitlines()
        assert "run: SUCCEEDED" in lines
        assert success.result.out.splitlines()[-1] == (
            f"https://console.cloud.google.com/vertex-ai/locations/europe-west1/pipelines/runs/{success.containers.job}"
            "?project=my-project"
        )

    def test_every_task_ran(self, success: Done) -> None:
        assert success.containers.states == dict.fromkeys(
            ["mlflow-start-run", "prepare", "total", "mlflow-mark-success", "mlflow-end-run"], "SUCCEEDED"
        ), success.containers.logs

    def test_data_lies_in_cloud_storage(self, success: Done) -> None:
        runs = success.project.path / "gcs-root/gcs/my-bucket/runs/123456789" / success.containers.job
        [report] = runs.glob("total_*/report/report.json")
        assert json.loads(report.read_text()) == {"total": 6}
        assert [p.name for p in runs.glob("prepare_*/rows/*")] == ["data.pkl"]
        assert not (success.project.path / "data/08_reporting").exists()

    def test_one_mlflow_run_knows_the_job(self, success: Done) -> None:
        """The cached step found it by the job's name, which it read out of where its outputs lie."""
        run = mlflow_run(success.containers)
        tags = run.data.tags
        assert run.info.status == "FINISHED"
        assert (tags["vertexai_run_id"], tags["vertexai_job_name"]) == ("987654321", success.containers.job)
        assert "kubeflow_run_id" not in tags
        assert tags["kubeflow_run_url"] == success.result.out.splitlines()[-1]
        assert "[Vertex AI job](https://console.cloud.google.com/" in tags["mlflow.note.content"]
        assert "--tracking" in success.containers.given["prepare"]
        assert not any("mlflow-run-id" in word for word in success.containers.given["prepare"])

    def test_hosts_have_names_once(self, success: Done) -> None:
        hosts = (success.project.path / "gcs-root/etc/hosts").read_text()
        assert hosts == "127.0.0.1\tlocalhost\n10.0.0.1\tmlflow.internal m\n"

    def test_no_shell(self, success: Done) -> None:
        assert {
            argv[:3] == ["python", "-m", "kedro_kubeflow.runtime"] for argv in success.containers.given.values()
        } == {True}

    def test_the_job_is_filed(self, success: Done) -> None:
        assert [context.rpartition("/")[2] for context in success.server.children] == ["demo"]
        [job] = success.server.jobs.values()
        assert job.display_name == "limit 4"


def test_a_step_that_fails(success: Done) -> None:
    spec = json.loads(json.dumps(success.containers.spec))
    spec["root"]["inputDefinitions"]["parameters"]["limit"]["defaultValue"] = 101
    containers = _again(success, "demo-20260301-fail", spec=spec, uuid="2")
    assert containers.run() == "FAILED"
    assert containers.states == {"mlflow-start-run": "SUCCEEDED", "prepare": "FAILED", "mlflow-end-run": "SUCCEEDED"}
    run = mlflow_run(containers)
    assert run.info.status == "FAILED"
    assert run.data.tags["vertexai_run_id"] == "2"
    assert run.data.tags["kubeflow_failed_node"] == "prepare"
    assert "too much" in run.data.tags["kubeflow_error"]


def test_a_job_that_is_cancelled(success: Done) -> None:
    containers = _again(
        success,
        "demo-20260301-stop",
        uuid="3",
        cancelled=True,
    )
    containers.run()
    assert list(containers.states) == ["mlflow-start-run", "mlflow-end-run"]
    assert mlflow_run(containers).info.status == "KILLED"


def test_a_step_that_vertex_could_not_start(success: Done) -> None:
    """Nobody but Vertex AI knows why: its error is what MLflow says."""
    error = "The image europe-docker.pkg.dev/my-project/r/demo:1 is not found"
    containers = _again(
        success,
        "demo-20260301-lost",
        uuid="4",
        broken=error,
    )
    containers.run()
    run = mlflow_run(containers)
    assert run.info.status == "FAILED"
    assert run.data.tags["kubeflow_error"] == error
