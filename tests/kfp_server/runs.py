"""Runs: from PENDING to their end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kedro_kubeflow.contract import EXIT_DONE
from kfp_server.experiments import Experiments
from kfp_server.listing import page
from kfp_server.pipelines import Pipelines
from kfp_server.progress import Frame, Script, exit_of, frames, steps_of_spec, with_groups
from kfp_server.refusal import Refusal, invalid
from kfp_server.workflow import Workflow, fnv, is_exit, task_details
from kfp_server.world import World, found

FIELDS = (
    "id", "run_id", "name", "display_name", "created_at", "finished_at", "description", "scheduled_at", "storage_state",
    "status", "namespace", "experiment_id", "state", "recurring_run_id", "pipeline_id",
)  # fmt: skip
ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "SKIPPED")
NEVER = "1970-01-01T00:00:00Z"
_NO_SPEC = "Failed to create a new run: Failed to generate the ExecutionSpec: invalid pipeline job inputs: Invalid input error: "


@dataclass
class Course:
    """Where a run stands in its script."""

    spec: Mapping[str, Any]
    workflow: str
    script: Script
    frames: list[Frame]
    at: int = 0

    @property
    def frame(self) -> Frame:
        return self.frames[self.at]

    def seen(self, steps: Mapping[str, str]) -> Workflow:
        """The workflow with its steps in those states."""
        ended = self.frame.state in ENDED
        return Workflow(self.workflow, self.spec, with_groups(self.spec, steps, ended=ended), self.frame.state)


@dataclass
class Runs:
    """The run store."""

    world: World
    pipelines: Pipelines
    experiments: Experiments
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    orphans: list[dict[str, Any]] = field(default_factory=list)
    """Runs that were started, and are in no list."""
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
        try:
            # What is stored is no JSON with escapes, but the text itself.
            repr((body, spec)).encode(self.world.options.charset)
        except UnicodeEncodeError as error:
            self.orphans.append(run)
            said = f"Error 1366 (HY000): Incorrect string value: '{error.object[error.start]}' for column 'Manifest' at row 1"
            raise Refusal("INTERNAL", said, "Failed to create a new run: InternalServerError: ") from None
        self.runs[run["run_id"]] = run
        script = self.scripts.pop(0) if self.scripts else Script()
        self.courses[run["run_id"]] = Course(spec, run["_workflow"], script, frames(spec, script))
        experiment["last_run_created_at"] = run["created_at"]
        return self._shown(run)

    def get(self, run_id: str) -> dict[str, Any]:
        """A run; every look takes it one state further."""
        run = found(self.runs, "Run", run_id, "Failed to get a run: Failed to fetch run {key}")
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
        run = found(self.runs, "Run", run_id, "Failed to terminate a run: Failed to terminate run {key}")
        if run["state"] in ENDED:
            said = f"Failed to terminate a run {run_id}. Row not found"
            way = f"Failed to terminate a run: Failed to terminate run {run_id}: Invalid input error: "
            raise Refusal("INVALID_ARGUMENT", said, way)
        self._enter(run, "CANCELING")
        course = self.courses[run_id]
        steps = dict(course.frame.steps)
        stopped = {s: "FAILED" if state in ("RUNNING", "PENDING") else state for s, state in steps.items()}
        at_exit = exit_of(course.spec, course.script)
        begun = [Frame("CANCELING", {**stopped, **dict.fromkeys(at_exit, "RUNNING")})] if at_exit else []
        stopped = {**stopped, **at_exit}
        settling = [Frame("FAILED", steps, stopped)] * course.script.settles
        course.frames = [Frame("CANCELING", steps), *begun, *settling, Frame("FAILED", stopped)]
        course.at = 0
        return {}

    def retry(self, run_id: str) -> dict[str, Any]:
        run = found(self.runs, "Run", run_id, "Failed to retry a run: Failed to retry run {key}")
        if run["state"] not in ("FAILED", "CANCELED"):
            said = "Workflow must be Failed/Error to retry"
            way = f"Failed to retry a run: Failed to retry run {run_id}: BadRequestError: "
            raise Refusal("ABORTED", said, way, ": workflow cannot be retried")
        course = self.courses[run_id]
        course.script = self.scripts.pop(0) if self.scripts else Script()
        # A run that is retried goes on where it was: it is not PENDING again.
        course.frames, course.at = frames(course.spec, course.script)[1:], 0
        run.pop("finished_at", None)
        self._enter(run, "RUNNING")
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
        course.frames = [replace(frame, held=False) for frame in course.frames]

    def pod(self, run_id: str, step: str) -> str:
        """The name of the pod that runs a step's own code."""
        course = self.courses[run_id]
        return course.seen(course.frame.true_steps).pods()[step]

    def log(self, run_id: str, pod: str) -> str | None:
        """The log of one of a run's pods, by the pod's name or its node's id; None where there is none."""
        course = self.courses[run_id]
        steps = course.frame.true_steps
        for step, path in course.seen(steps).executors().items():
            known = (self.pod(run_id, step), f"{course.workflow}-{fnv(path)}")
            if pod in known and steps.get(step) in ("RUNNING", "SUCCEEDED", "FAILED"):
                said = course.script.says.get(step, _usual_log(step, course.spec, steps[step]))
                return self.logs.get((run_id, step), said)
        return None

    def described(self, pod: str) -> dict[str, Any] | None:
        """A pod as Kubernetes describes it, while it is there."""
        for run_id, course in self.courses.items():
            for step, state in course.frame.true_steps.items():
                if state in ("RUNNING", "PENDING") and pod == self.pod(run_id, step):
                    return _pod(pod, state, course.script.why)
        return None

    def _source(self, body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        if body.get("pipeline_spec"):
            spec = dict(body["pipeline_spec"])
            if "pipelineInfo" not in spec.get("pipeline_spec", spec):
                raise invalid("unknown template format: pipeline spec is invalid")
            return spec, {}
        reference = body.get("pipeline_version_reference") or {}
        if not reference.get("pipeline_id"):
            said = "Failed to fetch a template with an empty pipeline spec manifest"
            way = "Failed to create a new run: InternalServerError: Failed to create a run due to error fetching manifest: "
            raise Refusal("INTERNAL", said, f"{way}Invalid input error: ")
        version_id = reference.get("pipeline_version_id")
        if version_id:
            version = self.pipelines.get_version(reference["pipeline_id"], version_id)
        else:
            version = self.pipelines.newest(reference["pipeline_id"])
        ids = {"pipeline_id": reference["pipeline_id"], "pipeline_version_id": version["pipeline_version_id"]}
        return version["pipeline_spec"], ids

    def _check_parameters(self, values: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
        ir = spec.get("pipeline_spec", spec)
        inputs = ir["root"].get("inputDefinitions", {}).get("parameters", {})
        unknown = sorted(set(values) - set(inputs))
        if unknown:
            said = f"parameter(s) provided are not required by pipeline: {', '.join(unknown)}"
            raise Refusal("INVALID_ARGUMENT", said, _NO_SPEC)
        for name, value in values.items():
            kind = inputs[name].get("parameterType")
            if kind in ("NUMBER_INTEGER", "NUMBER_DOUBLE") and type(value) not in (int, float):
                said = f"input parameter {name} requires type double or integer, but the parameter value"
                raise Refusal("INVALID_ARGUMENT", f"{said} is not of number value type", _NO_SPEC)
        required = sorted(k for k, v in inputs.items() if "defaultValue" not in v and not v.get("isOptional"))
        missing = [k for k in required if k not in values]
        if missing:
            said = (
                f"input parameter {missing[0]} is not optional, yet has neither default value nor user provided value"
            )
            raise Refusal("INVALID_ARGUMENT", said, _NO_SPEC)

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
        # A run that runs has an end, in 1970.
        shown = {"finished_at": NEVER, **{k: v for k, v in run.items() if not k.startswith("_")}}
        if course:
            details = task_details(course.seen(course.frame.steps), run["run_id"], run["created_at"])
            shown["run_details"] = {"task_details": details} if details else {}
        return shown

    def _advance(self, run: dict[str, Any]) -> None:
        course = self.courses[run["run_id"]]
        if course.at + 1 < len(course.frames) and not course.frame.held:
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


def _usual_log(step: str, spec: Mapping[str, Any], state: str) -> str:
    done = (
        f"{EXIT_DONE}\n" if state == "FAILED" and any(n == step and is_exit(t) for n, t in steps_of_spec(spec)) else ""
    )
    return f"the log of {step}\n{done}"


def _pod(name: str, state: str, why: str) -> dict[str, Any]:
    """What Kubernetes says of a pod (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/)."""
    if state == "RUNNING":
        return {"metadata": {"name": name}, "status": {"phase": "Running"}}
    reason, _, message = why.partition(": ")
    if reason == "Unschedulable":
        condition = {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}
        return {"metadata": {"name": name}, "status": {"phase": "Pending", "conditions": [condition]}}
    waiting = {"name": "main", "state": {"waiting": {"reason": reason, "message": message}}}
    return {"metadata": {"name": name}, "status": {"phase": "Pending", "containerStatuses": [waiting]}}
