"""The commands on Vertex AI, as people type them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import click.testing
import kedro.framework.project
import pytest

pytest.importorskip("google.cloud.aiplatform_v1", reason="google-cloud-aiplatform is not installed")

from cli.conftest import Outcome
from google.cloud.aiplatform_v1 import types
from kedro_project import KedroProject

from kedro_kubeflow.cli import kubeflow
from kedro_kubeflow.targets.vertexai.names import label_value
from targets.vertexai.conftest import SECTION
from targets.vertexai.rest import refusal
from targets.vertexai.vertex_server import Script, VertexServer

CONSOLE = "https://console.cloud.google.com/vertex-ai/locations/europe-west1/pipelines"
Kedro = Callable[..., Outcome]
Configure = Callable[..., None]


@pytest.fixture
def configure(project: KedroProject, server: VertexServer) -> Configure:
    """kubeflow.yml with the stand-in's address, and what else a test wants there."""

    def write(run_config: dict[str, Any] | None = None, host: str | None = None, **section: Any) -> None:
        vertexai = {**SECTION, "api_endpoint": server.url, **section}
        run = {"image": "demo:1", **(run_config or {})}
        project.conf("kubeflow", {**({"host": host} if host else {}), "vertexai": vertexai, "run_config": run})

    return write


@pytest.fixture
def kedro(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Kedro:
    monkeypatch.setenv("COLUMNS", "200")
    configure()

    def run(*words: str) -> Outcome:
        result = click.testing.CliRunner().invoke(kubeflow, list(words), prog_name="kedro kubeflow")
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(result.exit_code, result.stdout, result.stderr)

    return run


def only_job(server: VertexServer) -> Any:
    [job] = server.jobs.values()
    return job


def only_schedule(server: VertexServer) -> Any:
    [schedule] = server.schedules.values()
    return schedule


class TestRunOnce:
    def test_its_id_and_link(self, server: VertexServer, kedro: Kedro) -> None:
        done = kedro("run-once").ok()
        job_id = only_job(server).name.rpartition("/")[2]
        assert done.out == f"{job_id}\n"
        assert f"{CONSOLE}/runs/{job_id}?project=my-project" in done.err
        assert dict(only_job(server).labels) == {
            "kedro-project": label_value("Demo"),
            "kedro-pipeline": "demo",
            "kedro-env": "default",
        }

    def test_what_it_is_called_and_whose_it_is(self, server: VertexServer, kedro: Kedro, configure: Configure) -> None:
        configure({"run_name": "limit {limit}"}, experiment_name="flights")
        done = kedro(
            "run-once",
            "--param",
            "limit=7",
            "--service-account",
            "other@x.iam.gserviceaccount.com",
            "--experiment-name",
            "mine",
        ).ok()
        job = only_job(server)
        assert (job.display_name, job.service_account) == ("limit 7", "other@x.iam.gserviceaccount.com")
        assert "in the experiment 'mine'" in done.err
        assert [name.rpartition("/")[2] for name in server.children] == ["mine"]
        spec = types.PipelineJob.pb(job).pipeline_spec
        assert spec["root"]["inputDefinitions"]["parameters"]["limit"]["defaultValue"] == 7

    def test_waiting_to_success(self, server: VertexServer, kedro: Kedro) -> None:
        server.script = Script(at_once=3)
        done = kedro("run-once", "--wait-for-completion").ok()
        assert done.err.splitlines()[2:] == [
            "run: PENDING",
            "run: RUNNING",
            "mlflow-start-run: SUCCEEDED",
            "prepare: SUCCEEDED",
            "train: RUNNING",
            "run: SUCCEEDED",
            "train: SUCCEEDED",
            "report: SUCCEEDED",
            "mlflow-end-run: SUCCEEDED",
        ]
        assert ": SUCCEEDED, " in done.out.splitlines()[0]

    def test_waiting_to_failure(self, server: VertexServer, kedro: Kedro) -> None:
        server.script = Script(failing="train", at_once=3)
        done = kedro("run-once", "--wait-for-completion", "--output", "json").failed(1)
        facts = done.json
        assert (facts["state"], facts["canceled"]) == ("FAILED", False)
        assert {s["step"]: s["state"] for s in facts["steps"]}["train"] == "FAILED"
        assert "The job ended FAILED in 'train'" in done.err
        assert 'resource.labels.job_id="102"' in done.err

    def test_ended_by_somebody(self, server: VertexServer, kedro: Kedro) -> None:
        server.on_submit = lambda job: setattr(job, "state", types.PipelineState.PIPELINE_STATE_CANCELLED)
        assert "The job was canceled" in kedro("run-once", "--wait-for-completion").failed(1).err

    def test_no_longer_than_it_may(self, server: VertexServer, kedro: Kedro) -> None:
        server.script = Script(endless=True)
        done = kedro("run-once", "--wait-for-completion", "--timeout", "1").failed(7)
        assert "goes on" in done.err

    @pytest.mark.parametrize("terminate", [False, True])
    def test_interrupted(self, server: VertexServer, kedro: Kedro, terminate: bool) -> None:
        server.script = Script(endless=True)

        def press(looks: int) -> None:
            if looks == 2:
                # While the command waits for this very answer.
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.3)

        server.on_look = press
        words = ["--terminate-on-interrupt"] if terminate else []
        done = kedro("run-once", "--wait-for-completion", *words).failed(130)
        assert ("is being ended" if terminate else "kedro kubeflow terminate demo-20") in done.err
        assert len(server.asked("CancelPipelineJob")) == int(terminate)

    def test_the_same_experiment_twice(self, server: VertexServer, kedro: Kedro, configure: Configure) -> None:
        configure(experiment_name="flights")
        kedro("run-once").ok()
        kedro("run-once").ok()
        assert len(server.jobs) == 2
        assert len(server.contexts) == 1

    def test_it_runs_though_it_cannot_be_filed(self, server: VertexServer, kedro: Kedro, configure: Configure) -> None:
        configure(experiment_name="flights")
        server.fail("AddContextChildren", refusal(403, "denied"))
        done = kedro("run-once").ok()
        assert only_job(server).name.endswith(done.out.strip())
        assert "in the experiment" not in done.err

    @pytest.mark.parametrize("words", [["--from-version", "latest"], ["--experiment-namespace", "a"]])
    def test_what_is_not_for_vertex(self, kedro: Kedro, words: list[str]) -> None:
        assert "is not for Vertex AI" in kedro("run-once", "--target", "vertexai", *words).failed(2).err

    def test_kubernetes_own_service_account(self, server: VertexServer, kedro: Kedro, configure: Configure) -> None:
        configure({"service_account": "pipeline-runner"})
        done = kedro("run-once").failed(2)
        assert "vertexai.service_account" in done.err
        configure({"service_account": "pipeline-runner"}, service_account="r@x.iam.gserviceaccount.com")
        kedro("run-once").ok()

    def test_refused(self, kedro: Kedro, server: VertexServer) -> None:
        server.fail("CreatePipelineJob", refusal(403, "Permission 'aiplatform.pipelineJobs.create' denied"))
        done = kedro("run-once").failed(4)
        assert "roles/aiplatform.user" in done.err
        assert server.jobs == {}


class TestTarget:
    def test_both(self, server: VertexServer, kedro: Kedro, configure: Configure) -> None:
        configure(host="https://kfp.example.com")
        for command in ("run-once", "list-pipelines", "ui", "schedule"):
            assert "choose one with --target" in kedro(command).failed(2).err
        assert kedro("ui", "--no-browser", "--target", "kubeflow").ok().out == "https://kfp.example.com/#/pipelines\n"
        assert "?project=my-project" in kedro("ui", "--no-browser", "--target", "vertexai").ok().out

    def test_ui(self, kedro: Kedro) -> None:
        link = "https://console.cloud.google.com/vertex-ai/pipelines?project=my-project"
        assert kedro("ui", "--no-browser", "--output", "json").ok().json == {"link": link, "opened": False}

    def test_list_pipelines(self, kedro: Kedro) -> None:
        assert "no jobs" in kedro("list-pipelines").ok().err
        ids = [kedro("run-once", "--run-name", f"run {n}").ok().out.strip() for n in range(3)]
        assert [job["job_id"] for job in kedro("list-pipelines", "--output", "json").ok().json] == ids[::-1]
        rows = kedro("list-pipelines").ok().out.splitlines()
        assert rows[0].split() == ["NAME", "STATE", "STARTED", "TIME", "ID"]
        assert rows[1].startswith("run 2")

    def test_runs(self, kedro: Kedro) -> None:
        first, second = (kedro("run-once", "-p", name).ok().out.strip() for name in ("__default__", "main"))
        assert [job["job_id"] for job in kedro("runs", "--output", "json").ok().json] == [second, first]
        assert [job["job_id"] for job in kedro("runs", "-p", "main", "--output", "json").ok().json] == [second]
        assert kedro("runs", "--limit", "1").ok().out.splitlines()[1].endswith(second)

    def test_status_and_terminate(self, server: VertexServer, kedro: Kedro) -> None:
        job_id = kedro("run-once").ok().out.strip()
        shown = kedro("status", f"{CONSOLE}/runs/{job_id}?project=my-project").ok().out
        assert "PENDING" in shown
        assert "mlflow-start-run" in shown
        state, link = kedro("terminate", job_id).ok().out.splitlines()
        assert state.endswith("CANCELED")
        assert job_id in link
        assert kedro("status", job_id, "--output", "json").ok().json["canceled"]
        assert "is not found" in kedro("status", "nothing").failed(6).err

    def test_plan(self, kedro: Kedro, configure: Configure) -> None:
        resources = {"train": {"cpu": "500m", "memory": "4Gi", "accelerators": {"NVIDIA_L4": 2}}}
        configure({"resources": resources})
        assert "cpu 500m, memory 4Gi, NVIDIA_L4 2" in kedro("plan").ok().out

    def test_nothing_is_uploaded(self, kedro: Kedro) -> None:
        assert "Vertex AI" in kedro("upload-pipeline").failed(2).err


class TestSchedule:
    WORDS = ("schedule", "-c", "30 2 * * *")

    def test_all_options(self, server: VertexServer, kedro: Kedro) -> None:
        done = kedro(
            *self.WORDS,
            *("--timezone", "Europe/Warsaw", "--start-time", "2026-03-01", "--end-time", "2026-04-01T00:00:00+02:00"),
            *("--allow-queueing", "--max-run-count", "5", "--max-concurrent-run-count", "2", "--param", "limit=9"),
            *("-i", "demo:2", "--run-name", "limit {limit}", "--service-account", "r@x.iam.gserviceaccount.com"),
        ).ok()
        schedule = only_schedule(server)
        assert schedule.cron == "TZ=Europe/Warsaw 30 2 * * *"
        assert (schedule.max_run_count, schedule.max_concurrent_run_count, schedule.allow_queueing) == (5, 2, True)
        assert schedule.start_time.isoformat() == "2026-03-01T00:00:00+00:00"
        assert schedule.end_time.isoformat() == "2026-03-31T22:00:00+00:00"
        job = schedule.create_pipeline_job_request.pipeline_job
        assert (schedule.display_name, job.service_account) == ("limit 9", "r@x.iam.gserviceaccount.com")
        text = str(types.PipelineJob.pb(job).pipeline_spec)
        assert "demo:2" in text
        assert "demo/default: created (TZ=Europe/Warsaw 30 2 * * *" in done.out
        assert f"{CONSOLE}/schedules/{schedule.name.rpartition('/')[2]}?project=my-project" in done.out

    def test_the_day_is_filled_in_when_a_run_starts(self, server: VertexServer, kedro: Kedro) -> None:
        day = "{{$.pipeline_job_schedule_time_utc}}"
        kedro(*self.WORDS, "--param", f'limit="{day}"').ok()
        job = only_schedule(server).create_pipeline_job_request.pipeline_job
        assert dict(job.runtime_config.parameter_values) == {"limit": day}
        assert job.pipeline_spec["root"]["inputDefinitions"]["parameters"]["limit"]["parameterType"] == "STRING"

    def test_as_configured(self, server: VertexServer, kedro: Kedro, configure: Configure) -> None:
        configure(
            {
                "scheduled_run_name": "nightly",
                "schedules": {
                    "__default__": {"cron_expression": "0 3 * * *", "timezone": "Etc/UTC", "max_run_count": 3},
                    "main": {"cron": "@daily", "params": {"limit": 8}, "enabled": False},
                },
            }
        )
        kedro("schedule", "--all").ok()
        assert {(s.cron, s.max_run_count, s.state.name) for s in server.schedules.values()} == {
            ("TZ=Etc/UTC 0 3 * * *", 3, "ACTIVE"),
            ("0 0 * * *", 0, "PAUSED"),
        }
        kedro("schedule", "-c", "0 4 * * *").ok()
        assert "TZ=Etc/UTC 0 4 * * *" in {s.cron for s in server.schedules.values()}

    def test_a_project_of_kedro_vertexai(
        self, server: VertexServer, project: KedroProject, kedro: Kedro, at_its_own_address: None
    ) -> None:
        """Its file has no place for another address: this is Google's own, as far as anybody can tell."""
        (project.path / "conf/base/kubeflow.yml").unlink()
        file = {
            "project_id": "my-project",
            "region": "europe-west1",
            "run_config": {
                "image": "demo:1",
                "root": "my-bucket/c",
                "experiment_name": "demo",
                "scheduled_run_name": "nightly",
                "resources": {"gpu": {"cpu": 2}},
                "schedules": {"default_schedule": {"cron_expression": "0 5 * * *", "start_time": "none"}},
            },
        }
        project.conf("vertexai", file)
        kedro("schedule").ok()
        schedule = only_schedule(server)
        assert (schedule.display_name, schedule.cron) == ("nightly", "TZ=Etc/UTC 0 5 * * *")
        done = kedro("run-once").ok()
        assert "in the experiment 'demo'" in done.err
        assert only_job(server).runtime_config.gcs_output_directory == "gs://my-bucket/c"
        assert "nightly" in kedro("schedule", "--list").ok().out

    def test_again(self, server: VertexServer, kedro: Kedro) -> None:
        kedro(*self.WORDS).ok()
        first = only_schedule(server).name
        assert "unchanged" in kedro(*self.WORDS).ok().out
        assert only_schedule(server).name == first
        replaced = kedro("schedule", "-c", "0 4 * * *", "--output", "json").ok().json[0]
        assert (replaced["action"], replaced["replaced"]) == ("replace", [first.rpartition("/")[2]])
        assert only_schedule(server).cron == "0 4 * * *"
        order = [name for name, _ in server.calls if name in ("CreateSchedule", "DeleteSchedule")]
        assert order == ["CreateSchedule", "CreateSchedule", "DeleteSchedule"]

    def test_one_that_was_paused_by_hand_starts_again(self, server: VertexServer, kedro: Kedro) -> None:
        kedro(*self.WORDS).ok()
        only_schedule(server).state = types.Schedule.State.PAUSED
        assert "replaced" in kedro(*self.WORDS).ok().out
        assert only_schedule(server).state.name == "ACTIVE"

    def test_the_old_one_stays_where_the_new_one_is_refused(self, server: VertexServer, kedro: Kedro) -> None:
        kedro(*self.WORDS).ok()
        server.fail("CreateSchedule", refusal(400, "no"))
        kedro("schedule", "-c", "0 4 * * *").failed(6)
        assert only_schedule(server).cron == "30 2 * * *"

    def test_both_are_told_where_the_old_one_cannot_go(self, server: VertexServer, kedro: Kedro) -> None:
        kedro(*self.WORDS).ok()
        server.fail("DeleteSchedule", refusal(403, "denied"))
        assert "may start runs too" in kedro("schedule", "-c", "0 4 * * *").failed(6).err
        kedro("schedule", "-c", "0 4 * * *").ok()
        assert only_schedule(server).cron == "0 4 * * *"

    def test_dry(self, server: VertexServer, kedro: Kedro) -> None:
        assert "would be created" in kedro(*self.WORDS, "--dry-run").ok().out
        assert server.schedules == {}

    def test_listed_and_deleted(self, server: VertexServer, kedro: Kedro) -> None:
        kedro(*self.WORDS).ok()
        kedro(*self.WORDS, "--name", "second").ok()
        listed = kedro("schedule", "--list", "--output", "json").ok().json
        assert {entry["key"] for entry in listed} == {"demo/default", "demo/second"}
        assert "demo/second" in kedro("schedule", "--list").ok().out
        kedro("schedule", "--delete", "--dry-run").ok()
        assert len(server.schedules) == 2
        assert "demo/second: deleted" in kedro("schedule", "--delete", "--name", "second").ok().out
        kedro("schedule", "--delete", "--all").ok()
        assert server.schedules == {}
        assert "there is no such schedule" in kedro("schedule", "--delete").ok().err

    @pytest.mark.parametrize(
        ("words", "what"),
        [
            (["--interval", "1h"], "cron expressions only"),
            (["-c", "30 0 2 * * *"], "counts seconds"),
            (["-c", "0 3 * * *", "--timezone", "Warsaw"], "there is no time zone 'Warsaw'"),
            (["-c", "0 3 * * *", "--version", "latest"], "the schedule holds the pipeline itself"),
            (["-c", "0 3 * * *", "--experiment-name", "x"], "not filed under experiments"),
            (["-c", "0 3 * * *", "--service-account", "x"], "no service account's e-mail address"),
            ([], "Nothing says when"),
        ],
    )
    def test_what_is_wrong(self, server: VertexServer, kedro: Kedro, words: list[str], what: str) -> None:
        assert what in kedro("schedule", *words).failed(2).err
        assert server.schedules == {}


def test_without_the_client(project: KedroProject, kedro: Kedro) -> None:
    """Compiling needs none, and what needs it tells the way to it."""
    script = (
        "import sys; sys.modules['google.cloud.aiplatform_v1'] = None\n"
        "from kedro_kubeflow.cli import kubeflow\n"
        "kubeflow(['compile', '-o', '-'], standalone_mode=False)\n"
        "kubeflow(['run-once'])"
    )
    done = project.python("-c", script)
    assert "defaultPipelineRoot: gs://my-bucket/runs" in done.out
    assert done.code == 3, done.text
    assert "pip install 'kedro-kubeflow[vertexai]'" in done.err
