"""Vertex AI Pipelines on 127.0.0.1: jobs, schedules and experiments, as far as pipelines need them.

Every request is parsed with the official ``aiplatform_v1`` messages, every pipeline spec with KFP's own; what either does not
know is refused, and remembered in `problems`.
"""

from __future__ import annotations

import datetime
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from auth.loopback import Request, Response, serving
from google.cloud.aiplatform_v1 import types
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2 as ir

from kedro_kubeflow.targets.base.spec import tasks_before
from targets.vertexai.rest import WrongRequest, answer, done, message_of, refusal

PROJECT, NUMBER, REGION = "my-project", "123456789", "europe-west1"
PARENT = f"projects/{PROJECT}/locations/{REGION}"
STATES, TASKS = types.PipelineState, types.PipelineTaskDetail.State


@dataclass
class Script:
    """What becomes of the next jobs: at each look a further step runs.

    Attributes:
        failing: the step that fails, by its task's name.
        known_after: how many looks until the job is known among experiments.
        driven: somebody else runs the job, and calls `tell`.
        at_once: how many steps further a job is at each look.
    """

    failing: str | None = None
    error: str = "The replica workerpool0-0 exited with a non-zero status of 1"
    known_after: int = 2
    endless: bool = False
    driven: bool = False
    at_once: int = 1


@dataclass
class VertexServer:
    """What the API holds, and ways to disturb it.

    Attributes:
        calls: every request that was understood: its method's name and its message.
        faults: answers in place of the real ones, by method; each is given once, and ``after`` ones carry the request out.
        lets_in: whether an Authorization header is let in.
    """

    url: str = ""
    jobs: dict[str, Any] = field(default_factory=dict)
    schedules: dict[str, Any] = field(default_factory=dict)
    contexts: dict[str, Any] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    stores: set[str] = field(default_factory=set)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    faults: list[tuple[str, Response, bool]] = field(default_factory=list)
    script: Script = field(default_factory=Script)
    lets_in: Callable[[str | None], bool] = lambda header: bool(header)
    on_submit: Callable[[Any], None] = lambda _: None
    on_look: Callable[[int], None] = lambda _: None
    _looks: dict[str, int] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def fail(self, rpc: str, response: Response, *, after: bool = False) -> None:
        self.faults.append((rpc, response, after))

    def tell(self, job: Any, states: dict[str, str], end: Any, outputs: dict[str, Any] | None = None) -> None:
        """What became of a job that somebody else has run.

        Args:
            outputs: task → KFP's executor output.
        """
        with self._lock:
            for number, (name, state) in enumerate(states.items()):
                detail = self._begun(number, name)
                detail.state, detail.end_time = TASKS[state], _now()
                for key, made in ((outputs or {}).get(name, {}).get("artifacts") or {}).items():
                    uris = [types.Artifact(uri=artifact["uri"]) for artifact in made["artifacts"]]
                    detail.outputs[key] = types.PipelineTaskDetail.ArtifactList(artifacts=uris)
                job.job_detail.task_details.append(detail)
            self._end(job, end, "" if end == STATES.PIPELINE_STATE_SUCCEEDED else "some tasks failed")

    def asked(self, rpc: str) -> list[Any]:
        return [message for name, message in self.calls if name == rpc]

    def __call__(self, request: Request) -> Response:
        with self._lock:
            return self._answer(request)

    def _answer(self, request: Request) -> Response:
        if not self.lets_in(request.headers.get("authorization")):
            return refusal(401, "Request had invalid authentication credentials.")
        try:
            rpc, message = message_of(request)
        except (WrongRequest, ValueError) as error:
            self.problems.append(str(error))
            return refusal(400, str(error))
        self.calls.append((rpc, message))
        for index, (name, response, after) in enumerate(self.faults):
            if name == rpc:
                del self.faults[index]
                if after:
                    self._method(rpc)(message)
                return response
        try:
            return self._method(rpc)(message)
        except Refused as refused:
            return refusal(refused.code, str(refused))

    def _method(self, rpc: str) -> Callable[[Any], Response]:
        method: Callable[[Any], Response] = getattr(self, re.sub(r"([A-Z])", r"_\1", rpc).lower())
        return method

    # Jobs

    def _create_pipeline_job(self, message: Any) -> Response:
        place = self._place(message.parent)
        if not re.fullmatch(r"[a-z][-a-z0-9]{0,127}", message.pipeline_job_id):
            raise Refused(400, f"{message.pipeline_job_id!r} is no job id")
        name = f"{place}/pipelineJobs/{message.pipeline_job_id}"
        if name in self.jobs:
            raise Refused(409, f"PipelineJob {name} already exists")
        job = message.pipeline_job
        self._check_job(job)
        job.name, job.create_time, job.state = name, _now(), STATES.PIPELINE_STATE_PENDING
        self.jobs[name] = job
        self.on_submit(job)
        return answer(job)

    def _get_pipeline_job(self, message: Any) -> Response:
        job = self._found(self.jobs, message.name)
        looks = self._looks[job.name] = self._looks.get(job.name, 0) + 1
        if looks >= self.script.known_after:
            job.job_detail.pipeline_run_context.name = (
                f"{self._place(PARENT)}/metadataStores/default/contexts/{job.name[-12:]}"
            )
        if (
            looks > 1
            and not self.script.driven
            and job.state in (STATES.PIPELINE_STATE_PENDING, STATES.PIPELINE_STATE_RUNNING)
        ):
            for _ in range(self.script.at_once):
                if job.state in (STATES.PIPELINE_STATE_PENDING, STATES.PIPELINE_STATE_RUNNING):
                    self._advance(job)
        self.on_look(looks)
        return answer(job)

    def _list_pipeline_jobs(self, message: Any) -> Response:
        paths = set(message.read_mask.paths)
        fields = set(types.PipelineJob.pb().DESCRIPTOR.fields_by_name)
        assert paths <= fields, f"unknown fields in the mask: {paths - fields}"
        shown = []
        for job in reversed(self.jobs.values()):
            copy = types.PipelineJob(job)
            for name in fields - paths if paths else ():
                types.PipelineJob.pb(copy).ClearField(name)
            shown.append(copy)
        start = int(message.page_token or 0)
        token = str(start + 2) if len(shown) > start + 2 else ""
        return answer(types.ListPipelineJobsResponse(pipeline_jobs=shown[start : start + 2], next_page_token=token))

    def _cancel_pipeline_job(self, message: Any) -> Response:
        self._found(self.jobs, message.name).state = STATES.PIPELINE_STATE_CANCELLED
        return Response(200, b"{}", {"Content-Type": "application/json"})

    def _advance(self, job: Any) -> None:
        if self.script.endless:
            job.state = STATES.PIPELINE_STATE_RUNNING
            return
        waiting = list(task_names(json_format.MessageToDict(types.PipelineJob.pb(job).pipeline_spec)))
        for detail in job.job_detail.task_details:
            waiting.remove(detail.task_name)
            if detail.state == TASKS.RUNNING:
                failed = detail.task_name == self.script.failing
                detail.state, detail.end_time = (TASKS.FAILED if failed else TASKS.SUCCEEDED), _now()
                if failed:
                    detail.error = {"code": 9, "message": self.script.error}
                    self._end(
                        job,
                        STATES.PIPELINE_STATE_FAILED,
                        f"The DAG failed because some tasks failed: {detail.task_name}",
                    )
                    return
        if not waiting:
            self._end(job, STATES.PIPELINE_STATE_SUCCEEDED)
            return
        job.state = STATES.PIPELINE_STATE_RUNNING
        job.job_detail.task_details.append(self._begun(len(job.job_detail.task_details), waiting[0]))

    def _begun(self, number: int, name: str) -> Any:
        begun = types.PipelineTaskDetail(task_id=100 + number, task_name=name, state=TASKS.RUNNING, start_time=_now())
        begun.executor_detail.container_detail.main_job = f"{self._place(PARENT)}/customJobs/{begun.task_id}"
        return begun

    def _end(self, job: Any, state: Any, error: str = "") -> None:
        job.state, job.end_time = state, _now()
        if error:
            job.error = {"code": 9, "message": error}

    def _check_job(self, job: Any) -> None:
        config, message = job.runtime_config, types.PipelineJob.pb(job)
        spec = json_format.MessageToDict(message.pipeline_spec)
        problems = [
            *([] if 0 < len(job.display_name.encode()) <= 128 else ["display_name"]),
            *(
                []
                if re.match(r"gs://[a-z0-9]", config.gcs_output_directory)
                else ["runtime_config.gcs_output_directory"]
            ),
            *[f"label {k}={v}" for k, v in job.labels.items() if not _is_label(k, v)],
            *([] if len(job.labels) <= 64 else ["labels"]),
            *_spec_problems(spec),
        ]
        if problems:
            self.problems.append(f"refused: {problems}")
            raise Refused(400, f"Invalid job: {'; '.join(problems)}")

    # Schedules

    def _create_schedule(self, message: Any) -> Response:
        schedule = message.schedule
        request = schedule.create_pipeline_job_request
        if request.pipeline_job_id:
            raise Refused(400, "pipeline_job_id must be empty in a schedule")
        if not re.fullmatch(r"(TZ=\S+ )?\S+ \S+ \S+ \S+ \S+", schedule.cron) or not schedule.max_concurrent_run_count:
            self.problems.append(f"refused: {schedule.cron!r}")
            raise Refused(400, f"Invalid schedule: {schedule.cron!r}")
        self._check_job(request.pipeline_job)
        schedule.name = f"{self._place(message.parent)}/schedules/{1000 + len(self.asked('CreateSchedule'))}"
        schedule.state, schedule.create_time = types.Schedule.State.ACTIVE, _now()
        schedule.next_run_time = _now() + datetime.timedelta(hours=1)
        self.schedules[schedule.name] = schedule
        return answer(schedule)

    def _list_schedules(self, _message: Any) -> Response:
        return answer(types.ListSchedulesResponse(schedules=list(reversed(self.schedules.values()))))

    def _delete_schedule(self, message: Any) -> Response:
        schedule = self._found(self.schedules, message.name)
        del self.schedules[schedule.name]
        return done(f"{self._place(PARENT)}/operations/7", {"@type": "type.googleapis.com/google.protobuf.Empty"})

    def _pause_schedule(self, message: Any) -> Response:
        self._found(self.schedules, message.name).state = types.Schedule.State.PAUSED
        return Response(200, b"{}", {"Content-Type": "application/json"})

    # Experiments

    def _get_context(self, message: Any) -> Response:
        return answer(self._found(self.contexts, message.name))

    def _create_context(self, message: Any) -> Response:
        store = self._canonical(message.parent)
        if store not in self.stores:
            raise Refused(404, f"MetadataStore {store} is not found")
        context = message.context
        context.name = f"{store}/contexts/{message.context_id}"
        self.contexts[context.name] = context
        return answer(context)

    def _create_metadata_store(self, message: Any) -> Response:
        name = f"{self._place(message.parent)}/metadataStores/{message.metadata_store_id}"
        self.stores.add(name)
        store = {"@type": "type.googleapis.com/google.cloud.aiplatform.v1.MetadataStore", "name": name}
        return done(f"{self._place(PARENT)}/operations/8", store)

    def _add_context_children(self, message: Any) -> Response:
        context = self._found(self.contexts, message.context)
        self.children.setdefault(context.name, []).extend(message.child_contexts)
        return Response(200, b"{}", {"Content-Type": "application/json"})

    def _canonical(self, name: str) -> str:
        """Google answers with the project's number, whatever it was asked with."""
        return name.replace(f"projects/{PROJECT}/", f"projects/{NUMBER}/", 1)

    def _place(self, parent: str) -> str:
        if parent != PARENT:
            raise Refused(403, f"Permission 'aiplatform.pipelineJobs.create' denied on resource '{parent}'")
        return self._canonical(parent + "/").rstrip("/")

    def _found(self, things: dict[str, Any], name: str) -> Any:
        try:
            return things[self._canonical(name)]
        except KeyError:
            raise Refused(404, f"{name} is not found.") from None


class Refused(Exception):
    """The server says no."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def task_names(spec: dict[str, Any]) -> Iterator[str]:
    """Container tasks, those of the group where it stands; in an order in which they can run."""
    from graphlib import TopologicalSorter

    def inside(dag: dict[str, Any]) -> Iterator[str]:
        tasks = dag["tasks"]
        for name in TopologicalSorter({n: sorted(tasks_before(t)) for n, t in sorted(tasks.items())}).static_order():
            component = spec["components"][tasks[name]["componentRef"]["name"]]
            yield from inside(component["dag"]) if "dag" in component else [name]

    return inside(spec["root"]["dag"])


def _spec_problems(spec: dict[str, Any]) -> Iterator[str]:
    try:
        pipeline = json_format.ParseDict(spec, ir.PipelineSpec())
        deployment = json_format.MessageToDict(pipeline.deployment_spec)
        json_format.ParseDict(deployment, ir.PipelineDeploymentConfig())
    except json_format.ParseError as error:
        yield f"pipeline_spec: {error}"
        return
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,127}", pipeline.pipeline_info.name):
        yield "pipeline_spec.pipeline_info.name"


def _is_label(key: str, value: str) -> bool:
    fits = re.fullmatch(r"[\w-]{0,63}", value) and re.fullmatch(r"[^\W\d_][\w-]{0,62}", key)
    return bool(fits) and (key + value) == (key + value).lower()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


@contextmanager
def vertex_server() -> Iterator[VertexServer]:
    server = VertexServer()
    with serving(server) as server.url:
        yield server
