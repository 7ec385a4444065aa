"""Schedules through the real client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

pytest.importorskip("google.cloud.aiplatform_v1", reason="google-cloud-aiplatform is not installed")

from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.targets.vertexai.connection import Connection
from kedro_kubeflow.targets.vertexai.jobs import JobRequest
from kedro_kubeflow.targets.vertexai.schedules import JobScheduleRequest, JobTrigger, Schedules
from targets.vertexai.rest import refusal
from targets.vertexai.test_jobs import SPEC
from targets.vertexai.vertex_server import VertexServer

Section = Callable[..., VertexAIConfig]
LABELS = {"kedro-pipeline": "demo", "kedro-schedule": "default"}


def schedules(config: VertexAIConfig) -> Schedules:
    return Schedules(Connection(config, sleep=lambda _: None))


def request(config: VertexAIConfig, **keys: Any) -> JobScheduleRequest:
    trigger = keys.pop("trigger", JobTrigger(cron="TZ=Europe/Warsaw 30 2 * * *"))
    job = JobRequest(name="Demo", spec=SPEC, labels=LABELS)
    return JobScheduleRequest(name="Demo", trigger=trigger, job=job, **keys).marked(config)


def test_all_that_it_may_say(server: VertexServer, section: Section) -> None:
    trigger = JobTrigger(
        cron="TZ=Europe/Warsaw 30 2 * * *",
        start_time=datetime(2026, 3, 1, tzinfo=timezone.utc),
        end_time=datetime(2026, 4, 1, tzinfo=timezone.utc),
        count=7,
        concurrency=2,
        queueing=True,
    )
    config = section(service_account="runner@my-project.iam.gserviceaccount.com")
    made = schedules(config).create(request(config, trigger=trigger))
    assert (made.trigger, made.state, made.key) == (trigger, "ACTIVE", "demo/default")
    assert config.schedule_link(made.id) == (
        f"https://console.cloud.google.com/vertex-ai/locations/europe-west1/pipelines/schedules/{made.id}?project=my-project"
    )
    [message] = server.asked("CreateSchedule")
    inner = message.schedule.create_pipeline_job_request
    assert inner.parent == "projects/my-project/locations/europe-west1"
    assert inner.pipeline_job.service_account == "runner@my-project.iam.gserviceaccount.com"
    assert inner.pipeline_job.runtime_config.gcs_output_directory == "gs://my-bucket/runs"
    assert list(schedules(config).list()) == [made]


def test_one_that_starts_nothing(server: VertexServer, section: Section) -> None:
    config = section()
    made = schedules(config).create(request(config, enabled=False))
    assert (made.state, [s.state for s in schedules(config).list()]) == ("PAUSED", ["PAUSED"])


@pytest.mark.parametrize("arrived", [False, True])
def test_made_once_though_the_answer_is_lost(server: VertexServer, section: Section, arrived: bool) -> None:
    config = section()
    server.fail("CreateSchedule", refusal(503, "try later"), after=arrived)
    made = schedules(config).create(request(config))
    assert [name.rpartition("/")[2] for name in server.schedules] == [made.id]


def test_refused(server: VertexServer, section: Section) -> None:
    config = section()
    server.fail("CreateSchedule", refusal(400, "end_time must be in the future"))
    with pytest.raises(ServerError, match="end_time must be in the future"):
        schedules(config).create(request(config))


def test_deleted_twice(server: VertexServer, section: Section) -> None:
    config = section()
    made = schedules(config).create(request(config))
    schedules(config).delete(made.id)
    schedules(config).delete(made.id)
    assert server.schedules == {}


def test_the_digest_is_of_all_that_is_sent(section: Section) -> None:
    config = section()
    first = request(config)
    others = [
        request(config, trigger=JobTrigger(cron="30 2 * * *")),
        request(config, enabled=False),
        request(section(service_account="runner@x")),
        replace(first, job=replace(first.job, spec={**SPEC, "defaultPipelineRoot": "gs://x"})).marked(config),
    ]
    digests = {r.job.labels["kedro-digest"] for r in [first, *others]}
    assert len(digests) == 5
    assert request(config) == first
    assert first.marked(config) == first
