"""Runs: from PENDING to their end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kfp_server.experiments import Experiments
from kfp_server.listing import page
from kfp_server.pipelines import Pipelines
from kfp_server.progress import Frame, Script, frames, pod_name, steps_of_spec, task_details
from kfp_server.refusal import Refusal, invalid
from kfp_server.world import World, found

FIELDS = (
    "id", "run_id", "name", "display_name", "created_at", "finished_at", "description", "scheduled_at", "storage_state",
    "status", "namespace", "experiment_id", "state", "recurring_run_id", "pipeline_id",
)  # fmt: skip
ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")


@dataclass
class Course:
    """Where a run stands in its script."""

    steps: list[str]
    script: Script
    frames: list[Frame]
    at: int = 0


@dataclass
class Runs:
    """The run store."""

    world: World
    pipelines: Pipelines
    experiments: Experiments
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    scripts: list[Script] = field(default_factory=list)
    """For the next runs, one after the other; a run without one succeeds."""
    logs: dict[tuple[str, str], str] = field(default_factory=dict)

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if not body.get("display_name"):
            raise invalid("The run name is empty. Please specify a valid name")
        experiment = self.experiments.for_new_run(body.get("experiment_id", ""))
        namespace = self.world.authorize(experiment.get("namespace", ""))
        if experiment["storage_state"] == "ARCHIVED":
            raise Refusal("FAILED_PRECONDITION", "Experiment is archived: a run cannot be created in it")
        spec, reference = self._source(body)
        self._check_parameters(body.get("runtime_config", {}).get("parameters", {}), spec)
        run = self._new(body, experiment, namespace, reference, spec)
        self.runs[run["run_id"]] = run
        script = self.scripts.pop(0) if self.scripts else Script()
        steps = steps_of_spec(spec)
        self.courses[run["run_id"]] = Course(steps, script, frames(steps, script))
        experiment["last_run_created_at"] = run["created_at"]
        return self._shown(run)

    def get(self, run_id: str) -> dict[str, Any]:
        """A run; every look takes it one state further."""
        run = found(self.runs, "Run", run_id)
        shown = self._shown(run)
        self._advance(run)
        return shown

    def list(self, query: Mapping[str, str]) -> dict[str, Any]:
        if query.get("experiment_id"):
            experiment = self.experiments.get(query["experiment_id"])
            mine = [r for r in self.runs.values() if r["experiment_id"] == experiment["experiment_id"]]
        else:
            namespace = self.world.authorize(query.get("namespace", ""))
            mine = [r for r in self.runs.values() if r["_namespace"] == namespace]
        entries, total, token = page(mine, query, fields=FIELDS, key="run_id")
        return {"runs": [self._shown(r) for r in entries], "total_size": total, "next_page_token": token}

    def terminate(self, run_id: str) -> dict[str, Any]:
        run = found(self.runs, "Run", run_id)
        if run["state"] in ENDED:
            raise invalid(f"Failed to terminate run {run_id}. Row not found")
        self._enter(run, "CANCELING")
        steps = dict(self.courses[run_id].frames[self.courses[run_id].at].steps)
        ends = self.world.options.cancel_ends
        stopped = {s: "FAILED" if state == "RUNNING" else state for s, state in steps.items()}
        self.courses[run_id].frames = [Frame("CANCELING", steps), Frame(ends, stopped)]
        self.courses[run_id].at = 0
        return {}

    def retry(self, run_id: str) -> dict[str, Any]:
        run = found(self.runs, "Run", run_id)
        if run["state"] not in ("FAILED", "CANCELED"):
            raise Refusal("INVALID_ARGUMENT", f"Failed to retry run {run_id}: workflow must be Failed/Error to retry")
        course = self.courses[run_id]
        course.script = self.scripts.pop(0) if self.scripts else Script()
        course.frames, course.at = frames(course.steps, course.script), 0
        run.pop("finished_at", None)
        self._enter(run, "PENDING")
        return {}

    def store(self, run_id: str, state: str) -> dict[str, Any]:
        found(self.runs, "Run", run_id)["storage_state"] = state
        return {}

    def delete(self, run_id: str) -> dict[str, Any]:
        found(self.runs, "Run", run_id)
        del self.runs[run_id]
        return {}

    def let_go(self, run_id: str) -> None:
        """A run that stays where it is goes on."""
        course = self.courses[run_id]
        course.script = Script()

    def log(self, run_id: str, pod: str) -> str | None:
        """The log of one of a run's pods, or None where there is no such pod."""
        if run_id not in self.runs:
            return None
        run, course = self.runs[run_id], self.courses[run_id]
        for step in course.frames[course.at].steps:
            if pod == pod_name(run["_workflow"], step):
                return self.logs.get((run_id, step), f"the log of {step}\n")
        return None

    def _source(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        if body.get("pipeline_spec"):
            spec = dict(body["pipeline_spec"])
            if "pipelineInfo" not in spec.get("pipeline_spec", spec):
                raise invalid("unknown template format: pipeline spec is invalid")
            return spec, {}
        reference = body.get("pipeline_version_reference") or {}
        if not reference.get("pipeline_id"):
            raise invalid("Pipeline spec source is missing")
        version_id = reference.get("pipeline_version_id")
        if version_id:
            version = self.pipelines.get_version(reference["pipeline_id"], version_id)
        else:
            version = self.pipelines.newest(reference["pipeline_id"])
        ids = {"pipeline_id": reference["pipeline_id"], "pipeline_version_id": version["pipeline_version_id"]}
        return version["pipeline_spec"], ids

    def _check_parameters(self, values: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
        most = self.world.options.max_parameters
        if sum(len(json.dumps({k: v}, ensure_ascii=False).encode()) for k, v in values.items()) > most:
            raise invalid(f"The input parameter length exceed maximum size of {most}.")
        ir = spec.get("pipeline_spec", spec)
        inputs = ir["root"].get("inputDefinitions", {}).get("parameters", {})
        unknown = sorted(set(values) - set(inputs))
        if unknown:
            raise invalid(f"parameters are not found in pipeline job: {', '.join(unknown)}")
        required = sorted(k for k, v in inputs.items() if "defaultValue" not in v and not v.get("isOptional"))
        missing = [k for k in required if k not in values]
        if missing:
            raise invalid(
                f"parameter {missing[0]} is not optional, yet has neither default value nor user provided value"
            )

    def _new(
        self,
        body: Mapping[str, Any],
        experiment: Mapping[str, Any],
        namespace: str,
        reference: dict[str, str],
        spec: Any,
    ) -> dict[str, Any]:
        run_id, created = self.world.new_id(), self.world.clock.tick()
        ir = spec.get("pipeline_spec", spec)
        source = {"pipeline_version_reference": reference} if reference else {"pipeline_spec": spec}
        kept = ("display_name", "description", "runtime_config", "recurring_run_id", "plugins_input")
        return {
            **{k: body[k] for k in kept if body.get(k)},
            **source,
            "run_id": run_id,
            "experiment_id": experiment["experiment_id"],
            "service_account": body.get("service_account") or "pipeline-runner",
            "created_at": created,
            "scheduled_at": created,
            "storage_state": "AVAILABLE",
            "state": "PENDING",
            "state_history": [{"update_time": created, "state": "PENDING"}],
            "_namespace": namespace,
            "_workflow": f"{ir['pipelineInfo']['name']}-{run_id[:5]}",
        }

    def _shown(self, run: Mapping[str, Any]) -> dict[str, Any]:
        course = self.courses.get(run["run_id"])
        shown = {k: v for k, v in run.items() if not k.startswith("_")}
        if course:
            frame = course.frames[course.at]
            details = task_details(run["run_id"], run["_workflow"], frame, course.script, run["created_at"])
            shown["run_details"] = {"task_details": details} if details else {}
        return shown

    def _advance(self, run: dict[str, Any]) -> None:
        course = self.courses[run["run_id"]]
        held = course.script.stays and course.at == 1 and course.frames[1].state == "RUNNING"
        if course.at + 1 < len(course.frames) and not held:
            course.at += 1
            self._enter(run, course.frames[course.at].state)

    def _enter(self, run: dict[str, Any], state: str) -> None:
        if run["state"] == state:
            return
        now = self.world.clock.tick()
        run["state"] = state
        run["state_history"] = [*run["state_history"], {"update_time": now, "state": state}]
        if state in ENDED:
            run["finished_at"] = now
