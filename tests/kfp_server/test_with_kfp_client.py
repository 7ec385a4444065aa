"""The stand-in under KFP's own client: what the official SDK can do works, and what it gets wrong goes wrong here."""

from __future__ import annotations

from pathlib import Path

import kfp
import kfp_server_api
import pytest

from kfp_server import Answer, KfpServer, Options, Reset, Script
from kfp_server.specs import package

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "pipeline.yaml"
    path.write_text(str(package()), "utf-8")
    return str(path)


def client_of(server: KfpServer, namespace: str = "kubeflow") -> kfp.Client:
    return kfp.Client(host=server.url, namespace=namespace)


def test_a_pipeline_its_versions_and_the_newest(server: KfpServer, file: str) -> None:
    client = client_of(server)
    pipeline = client.upload_pipeline(file, pipeline_name="space-flights", description="first")
    version = client.upload_pipeline_version(file, "second", pipeline_id=pipeline.pipeline_id)
    assert client.get_pipeline_id("space-flights") == pipeline.pipeline_id
    listed = client.list_pipeline_versions(pipeline.pipeline_id, sort_by="created_at desc").pipeline_versions
    assert [v.name for v in listed] == ["second", "space-flights"]
    assert server.pipelines.newest(pipeline.pipeline_id)["pipeline_version_id"] == version.pipeline_version_id


def test_a_name_is_taken_once(server: KfpServer, file: str) -> None:
    client = client_of(server)
    client.upload_pipeline(file, pipeline_name="space-flights")
    with pytest.raises(kfp_server_api.ApiException) as caught:
        client.upload_pipeline(file, pipeline_name="space-flights")
    assert caught.value.status == 409
    assert "error_message" in caught.value.body


@pytest.mark.parametrize("name", ["Space Flights", "space_flights"])
def test_kubernetes_names(kubernetes_server: KfpServer, file: str, name: str) -> None:
    with pytest.raises(kfp_server_api.ApiException) as caught:
        client_of(kubernetes_server).upload_pipeline(file, pipeline_name=name)
    assert caught.value.status == 400
    assert "1123" in caught.value.body


def test_a_file_that_is_too_large(file: str) -> None:
    with KfpServer(Options(max_upload=100)) as server, pytest.raises(kfp_server_api.ApiException) as caught:
        client_of(server).upload_pipeline(file, pipeline_name="space-flights")
    assert "too large" in caught.value.body
    assert server.violations == []


def test_pages_with_tokens(server: KfpServer) -> None:
    client = client_of(server)
    for n in range(25):
        server.experiments.create({"display_name": f"e{n:02}"})
    first = client.list_experiments(page_size=20, sort_by="display_name")
    second = client.list_experiments(page_size=20, sort_by="display_name", page_token=first.next_page_token)
    names = [e.display_name for e in (*first.experiments, *second.experiments)]
    assert names == ["Default", *(f"e{n:02}" for n in range(25))]
    assert first.total_size == 26
    assert not second.next_page_token
    with pytest.raises(kfp_server_api.ApiException, match="page token does not match"):
        client.list_experiments(sort_by="created_at", page_token=first.next_page_token)


def test_a_run_to_its_end(server: KfpServer, file: str) -> None:
    client = client_of(server)
    made = client.create_run_from_pipeline_package(file, {"rate": 0.1}, run_name="r", experiment_name="e")
    done = client.wait_for_run_completion(made.run_id, timeout=10, sleep_duration=0)
    assert done.state == "SUCCEEDED"
    assert [s.state for s in done.state_history] == ["PENDING", "RUNNING", "SUCCEEDED"]
    # A run ends before its tasks do.
    assert "RUNNING" in {t.state for t in done.run_details.task_details}
    steps = {t.display_name: t.state for t in client.get_run(made.run_id).run_details.task_details}
    assert steps["split"] == steps["train"] == steps["report"] == "SUCCEEDED"
    assert "executor" in steps
    assert "split-driver" in steps


def test_a_run_that_fails_and_is_retried(server: KfpServer, file: str) -> None:
    client = client_of(server)
    server.script(Script(failing="train"))
    made = client.create_run_from_pipeline_package(file, run_name="r", experiment_name="e")
    assert client.wait_for_run_completion(made.run_id, timeout=10, sleep_duration=0).state == "FAILED"
    client.runs.run_service_retry_run(made.run_id)
    assert client.wait_for_run_completion(made.run_id, timeout=10, sleep_duration=0).state == "SUCCEEDED"


def test_a_run_that_was_terminated_is_failed(server: KfpServer, file: str) -> None:
    client = client_of(server)
    server.script(Script(stays=True))
    made = client.create_run_from_pipeline_package(file, run_name="r", experiment_name="e")
    client.terminate_run(made.run_id)
    done = client.wait_for_run_completion(made.run_id, timeout=10, sleep_duration=0)
    assert [s.state for s in done.state_history] == ["PENDING", "CANCELING", "FAILED"]


def test_parameters_must_be_known(server: KfpServer, file: str) -> None:
    client = client_of(server)
    client.create_run_from_pipeline_package(file, {"model": "x" * 12_011}, run_name="r", experiment_name="e")
    for parameters, message in (({"rate": "x"}, "not of number value type"), ({"nope": 1}, "not required by pipeline")):
        with pytest.raises(kfp_server_api.ApiException, match=message):
            client.create_run_from_pipeline_package(file, parameters, run_name="r", experiment_name="e")


def test_recurring_runs(server: KfpServer, file: str) -> None:
    client = client_of(server)
    pipeline = client.upload_pipeline(file, pipeline_name="space-flights")
    experiment = client.create_experiment("e")
    version = server.pipelines.newest(pipeline.pipeline_id)["pipeline_version_id"]
    ids = {"experiment_id": experiment.experiment_id, "pipeline_id": pipeline.pipeline_id, "version_id": version}
    made = client.create_recurring_run(job_name="nightly", cron_expression="0 0 3 * * *", **ids)
    client.disable_recurring_run(made.recurring_run_id)
    assert client.get_recurring_run(made.recurring_run_id).status == "DISABLED"
    assert server.recurring_runs.fire(made.recurring_run_id)["recurring_run_id"] == made.recurring_run_id
    with pytest.raises(kfp_server_api.ApiException, match="cron"):
        client.create_recurring_run(job_name="five", cron_expression="0 3 * * *", **ids)
    with pytest.raises(kfp_server_api.ApiException, match="max concurrency"):
        client.create_recurring_run(job_name="many", cron_expression="0 0 3 * * *", max_concurrency=11, **ids)
    client.delete_recurring_run(made.recurring_run_id)
    assert not client.list_recurring_runs().recurring_runs


def test_namespaces(multi_user_server: KfpServer, file: str) -> None:
    client = client_of(multi_user_server, namespace="team-a")
    client.create_experiment("e")
    assert client.list_runs(namespace="team-a").runs is None
    with pytest.raises(kfp_server_api.ApiException) as caught:
        client.list_runs(namespace="others")
    assert caught.value.status == 403


def test_faults(server: KfpServer, file: str) -> None:
    client = client_of(server)
    server.faults.add("GET /apis/v2beta1/pipelines", Answer(500, b"boom", "text/plain"))
    with pytest.raises(kfp_server_api.ApiException, match="boom"):
        client.list_pipelines()
    server.faults.add("POST /apis/v2beta1/experiments", Reset(after=True))
    with pytest.raises(Exception, match=r"Connection aborted|reset"):
        client.experiments.experiment_service_create_experiment(kfp_server_api.V2beta1Experiment(display_name="e"))
    assert [e["display_name"] for e in server.experiments.experiments.values()] == ["Default", "e"]
    with server.away(), pytest.raises(Exception, match="refused"):
        client.list_pipelines()
    assert client.list_pipelines().pipelines is None


def test_requests_outside_of_the_contract_are_told() -> None:
    with KfpServer() as server:
        client = client_of(server)
        client.pipelines.pipeline_service_list_pipelines.__self__.api_client.call_api(  # type: ignore[attr-defined]
            "/apis/v2beta1/healthz", "GET", response_type="object"
        )
        assert server.violations == []
        with pytest.raises(kfp_server_api.ApiException):
            client.runs.run_service_create_run(run={"display_name": "r", "name": "r"})
    assert "name" in server.violations[0]
