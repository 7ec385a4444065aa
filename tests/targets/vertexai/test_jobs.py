"""Jobs through the real client, over HTTP, to a server that parses them with Google's own messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("google.cloud.aiplatform_v1", reason="google-cloud-aiplatform is not installed")

from auth.google_stand_in import Google, closed_port
from auth.loopback import Response

from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.errors import AuthError, KedroKubeflowError, ServerError, WaitTimeout
from kedro_kubeflow.targets.base.run import Run
from kedro_kubeflow.targets.base.waiting import Look, Pace, Waiting
from kedro_kubeflow.targets.vertexai.client import VertexClient
from kedro_kubeflow.targets.vertexai.connection import Connection
from kedro_kubeflow.targets.vertexai.jobs import JobRequest, Jobs
from targets.vertexai.rest import refusal
from targets.vertexai.vertex_server import Script, VertexServer

Section = Callable[..., VertexAIConfig]


def component(name: str) -> dict[str, Any]:
    return {"executorLabel": f"exec-{name}"}


def task(name: str, *after: str) -> dict[str, Any]:
    return {"componentRef": {"name": f"comp-{name}"}, "taskInfo": {"name": name.title()}, "dependentTasks": list(after)}


SPEC = {
    "pipelineInfo": {"name": "demo"},
    "schemaVersion": "2.1.0",
    "root": {"dag": {"tasks": {"exit-handler-1": task("exit-handler-1"), "end": task("end", "exit-handler-1")}}},
    "components": {
        "comp-exit-handler-1": {"dag": {"tasks": {"one": task("one"), "two": task("two", "one")}}},
        **{f"comp-{name}": component(name) for name in ("one", "two", "end")},
    },
    "deploymentSpec": {"executors": {f"exec-{name}": {"container": {"image": "i"}} for name in ("one", "two", "end")}},
}
REQUEST = JobRequest(id="demo-1", name="Demo żółć", spec=SPEC, labels={"kedro-pipeline": "demo"})


def jobs(config: VertexAIConfig) -> Jobs:
    return Jobs(Connection(config, sleep=lambda _: None))


class TestStart:
    def test_all_that_is_configured(self, server: VertexServer, section: Section) -> None:
        made = jobs(
            section(
                service_account="runner@my-project.iam.gserviceaccount.com",
                network={"vpc": "projects/123/global/networks/vpc"},
                labels={"team": "data"},
                encryption_key="projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k",
                failure_policy="fast",
            )
        ).start(REQUEST)
        assert (made.id, made.name, made.state) == ("demo-1", "Demo żółć", "PENDING")
        assert section().job_link(made.id) == (
            "https://console.cloud.google.com/vertex-ai/locations/europe-west1/pipelines/runs/demo-1?project=my-project"
        )
        [message] = server.asked("CreatePipelineJob")
        job = message.pipeline_job
        assert message.parent == "projects/my-project/locations/europe-west1"
        assert dict(job.labels) == {"team": "data", "kedro-pipeline": "demo"}
        assert (job.service_account, job.network) == (
            "runner@my-project.iam.gserviceaccount.com",
            "projects/123/global/networks/vpc",
        )
        assert job.encryption_spec.kms_key_name.endswith("/cryptoKeys/k")
        assert job.runtime_config.gcs_output_directory == "gs://my-bucket/runs"
        assert job.runtime_config.failure_policy.name == "PIPELINE_FAILURE_POLICY_FAIL_FAST"

    def test_only_what_is_needed(self, server: VertexServer, section: Section) -> None:
        jobs(section()).start(REQUEST)
        job = server.asked("CreatePipelineJob")[0].pipeline_job
        assert not any([job.service_account, job.network, job.encryption_spec])
        assert job.runtime_config.failure_policy.name == "PIPELINE_FAILURE_POLICY_FAIL_SLOW"

    @pytest.mark.parametrize("fault", [refusal(503, "try later"), refusal(429, "slow down"), Response(502, b"<html>")])
    @pytest.mark.parametrize("arrived", [False, True])
    def test_an_answer_that_is_lost(
        self, server: VertexServer, section: Section, fault: Response, arrived: bool
    ) -> None:
        server.fail("CreatePipelineJob", fault, after=arrived)
        assert jobs(section()).start(REQUEST).id == "demo-1"
        assert len(server.jobs) == 1

    def test_an_id_that_is_taken(self, server: VertexServer, section: Section) -> None:
        jobs(section()).start(REQUEST)
        with pytest.raises(ServerError, match="already exists"):
            jobs(section()).start(REQUEST)

    def test_a_name_that_is_too_long(self, server: VertexServer, section: Section) -> None:
        made = jobs(section()).start(JobRequest(id="demo-1", name="ż" * 200, spec=SPEC))
        assert made.name == "ż" * 64


class TestRefusals:
    @pytest.mark.parametrize(
        ("code", "message", "error", "cure"),
        [
            (403, "Permission 'aiplatform.pipelineJobs.create' denied", AuthError, "roles/aiplatform.user"),
            (
                403,
                "Vertex AI API has not been used in project 1 before or it is disabled",
                AuthError,
                "gcloud services enable",
            ),
            (
                403,
                "You do not have permission to act as service account (iam.serviceAccounts.actAs)",
                AuthError,
                "serviceAccountUser",
            ),
            (400, "Quota exceeded for aiplatform.googleapis.com/custom_model_training_cpus", ServerError, "more quota"),
            (400, "does not have storage.objects.get access to the bucket", ServerError, "vertexai.root"),
            (404, "Location europe-west99 is not found or access is unauthorized", ServerError, "vertexai.region"),
        ],
    )
    def test_what_google_says_and_what_to_do(
        self,
        server: VertexServer,
        section: Section,
        code: int,
        message: str,
        error: type[KedroKubeflowError],
        cure: str,
    ) -> None:
        server.fail("CreatePipelineJob", refusal(code, message))
        with pytest.raises(error) as caught:
            jobs(section()).start(REQUEST)
        assert message in caught.value.what
        assert "project my-project, region europe-west1" in str(caught.value.where)
        assert cure in str(caught.value.cure)

    def test_no_credentials(
        self, server: VertexServer, section: Section, google: Google, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
        monkeypatch.setenv("NO_GCE_CHECK", "true")
        with pytest.raises(AuthError, match="No Google credentials") as caught:
            jobs(section()).start(REQUEST)
        assert "gcloud auth application-default login" in str(caught.value) or "GOOGLE_APPLICATION_CREDENTIALS" in str(
            caught.value
        )
        assert server.calls == []

    def test_credentials_that_google_refuses(
        self, server: VertexServer, section: Section, google: Google, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A federated identity that may not become the service account."""
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.federation_file()))
        with pytest.raises(AuthError) as caught:
            jobs(section()).start(REQUEST)
        assert "Google refused" in str(caught.value)
        assert not any(token in str(caught.value) for token in google.issued)
        assert server.calls == []

    def test_credentials_that_vertex_does_not_know(self, server: VertexServer, section: Section) -> None:
        server.lets_in = lambda _: False
        with pytest.raises(AuthError, match="does not know you"):
            jobs(section()).start(REQUEST)

    def test_nobody_there(self, server: VertexServer, section: Section) -> None:
        with pytest.raises(ServerError, match="cannot be reached") as caught:
            jobs(section(api_endpoint=f"http://127.0.0.1:{closed_port()}")).start(REQUEST)
        assert "HTTPS_PROXY" in str(caught.value.cure)


class TestLook:
    def test_its_steps(self, server: VertexServer, section: Section) -> None:
        made = jobs(section())
        made.start(REQUEST)
        assert [(s.name, s.display_name, s.state) for s in made.get("demo-1").steps] == [
            ("one", "One", "WAITING"),
            ("two", "Two", "WAITING"),
            ("end", "End", "WAITING"),
        ]
        looks = [made.get("demo-1") for _ in range(4)]
        assert [step.state for step in looks[1].steps] == ["SUCCEEDED", "RUNNING", "WAITING"]
        assert looks[-1].succeeded
        assert looks[-1].steps[0].started_at <= looks[-1].steps[0].finished_at  # type: ignore[operator]
        assert looks[-1].steps[0].custom_job == "100"

    def test_listed_the_latest_first_over_several_pages(self, server: VertexServer, section: Section) -> None:
        made = jobs(section())
        for number in range(5):
            made.start(JobRequest(id=f"demo-{number}", name=f"Demo {number}", spec=SPEC))
        assert [job.id for job in made.list()] == [f"demo-{number}" for number in (4, 3, 2, 1, 0)]
        assert next(made.list()).name == "Demo 4"

    def test_one_that_is_gone(self, server: VertexServer, section: Section) -> None:
        with pytest.raises(ServerError, match="demo-7 is not found"):
            jobs(section()).get("demo-7")

    def test_ended(self, server: VertexServer, section: Section) -> None:
        made = jobs(section())
        made.start(REQUEST)
        made.cancel("demo-1")
        found = made.get("demo-1")
        assert (found.state, found.canceled, found.ended, found.succeeded) == ("CANCELED", True, True, False)


class TestWait:
    def wait(self, config: VertexAIConfig, **pace: Any) -> list[Run]:
        made = jobs(config)
        made.start(REQUEST)
        now, look = iter(range(10_000)), Look(lambda: made.look("demo-1"))
        where = config.job_link("demo-1")
        clock = lambda: float(next(now))  # noqa: E731
        return list(Waiting(look, Pace(**pace), where, "", "job", clock=clock, sleep=lambda _: None).looks())

    def test_to_success(self, server: VertexServer, section: Section) -> None:
        assert [job.state for job in self.wait(section())] == ["PENDING", "RUNNING", "RUNNING", "RUNNING", "SUCCEEDED"]

    def test_to_failure(self, server: VertexServer, section: Section) -> None:
        server.script = Script(failing="two")
        last = self.wait(section())[-1]
        assert last.state == "FAILED"
        assert "some tasks failed: two" in str(last.error)
        [step] = last.failed_steps
        assert (step.display_name, step.error) == ("Two", server.script.error)

    def test_through_an_outage(self, server: VertexServer, section: Section) -> None:
        for _ in range(3):
            server.fail("GetPipelineJob", refusal(503, "try later"))
        assert self.wait(section())[-1].succeeded

    def test_no_longer_than_it_may(self, server: VertexServer, section: Section) -> None:
        server.script = Script(endless=True)
        with pytest.raises(WaitTimeout, match="it is RUNNING and goes on") as caught:
            self.wait(section(), timeout=10)
        assert "runs/demo-1?project=my-project" in str(caught.value.where)

    def test_an_outage_that_is_too_long(self, server: VertexServer, section: Section) -> None:
        for _ in range(30):
            server.fail("GetPipelineJob", refusal(503, "try later"))
        with pytest.raises(ServerError, match="which goes on"):
            self.wait(section(), outage=5)


class TestExperiments:
    def test_made_where_it_is_not_there(self, server: VertexServer, section: Section) -> None:
        """Also in a project that has never run anything and has no metadata store."""
        client = VertexClient(section())
        name = client.experiments.ensure("flights", "Who flies")
        assert client.experiments.ensure("flights") == name
        [context] = server.contexts.values()
        assert (context.schema_title, context.description) == ("system.Experiment", "Who flies")
        assert len(server.asked("CreateMetadataStore")) == 1

    def test_a_job_is_filed_once_it_is_known(self, server: VertexServer, section: Section) -> None:
        connection = Connection(section(), sleep=lambda _: None)
        server.script = Script(known_after=3)
        made = Jobs(connection).start(REQUEST)
        experiments = VertexClient(section()).experiments.__class__(connection)
        name = experiments.ensure("flights")
        assert experiments.file(name, made)
        assert [len(children) for children in server.children.values()] == [1]

    def test_something_else_is_called_so(self, server: VertexServer, section: Section) -> None:
        client = VertexClient(section())
        client.experiments.ensure("flights")
        next(iter(server.contexts.values())).schema_title = "system.Pipeline"
        with pytest.raises(KedroKubeflowError, match="no experiment in Vertex AI"):
            client.experiments.ensure("flights")
