"""What became of a run, as the exit pipeline and notifications are told."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from kedro_kubeflow.contract import JOB_ID_INPUT, LOCAL_ENV, STATES_FILE, STATUS_INPUT, StepCall
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.kubeflow_api import kubeflow_run, settled_run
from kedro_kubeflow.tracking.status import (
    FINISHED,
    KILLED,
    STEP_FAILED,
    STEP_TERMINATED,
    Heard,
    final_status,
    is_success,
)

Status = Literal["succeeded", "failed", "cancelled"]
_STATUS: dict[str, Status] = {FINISHED: "succeeded", KILLED: "cancelled"}
# What Argo calls it, which kedro-kubeflow 0.x handed on.
_ARGO = {"succeeded": "Succeeded", "failed": "Failed", "cancelled": "Error"}


@dataclass(frozen=True)
class Ended:
    """What the MLflow run says after its end.

    Attributes:
        status: MLflow's.
        steps: step → its last word, such as ``failed after 3.1 s: …``.
    """

    run_id: str
    status: str
    steps: Mapping[str, str]
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a run.

    Attributes:
        failed_steps: by title; empty where none failed, or where nothing tells which.
    """

    status: Status
    failed_steps: tuple[str, ...]
    run_id: str
    pipeline: str
    error: str | None = None
    mlflow_run_id: str | None = None

    def facts(self) -> dict[str, Any]:
        """As plain values, without what is not known."""
        known = {key: value for key, value in asdict(self).items() if value is not None}
        return {**known, "failed_steps": list(self.failed_steps)}

    def as_in_argo(self) -> dict[str, Any]:
        """The two parameters of kedro-kubeflow 0.x."""
        failures = [{"displayName": step, "message": self.error or "", "phase": "Failed"} for step in self.failed_steps]
        return {"status": _ARGO[self.status], "failures": failures}


def outcome_of(call: StepCall, executor: Executor, ended: Ended | None) -> Outcome:
    """Put together what is known.

    Args:
        ended: what the MLflow run says; it knows best, where there is one.
    """
    given = executor.parameters.get(STATUS_INPUT)
    said: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    job_id = str(executor.parameters[JOB_ID_INPUT])
    steps = dict(ended.steps) if ended else _states_here()
    failed = sorted(step for step, state in steps.items() if state.startswith((STEP_FAILED, STEP_TERMINATED)))
    status: Status
    if ended:
        status = _STATUS.get(ended.status, "failed")
        if status == "failed" and not failed:
            failed = kubeflow_run(job_id, with_spec=True).failed
    else:
        status, told = _without_mlflow(str(said.get("state", "")), job_id)
        failed = failed or told
    error = said.get("error")
    message = str(error.get("message", "")) if isinstance(error, Mapping) else ""
    return Outcome(
        status=status,
        failed_steps=() if status == "succeeded" else tuple(failed),
        run_id=job_id,
        pipeline=call.pipeline,
        error=(ended.error if ended else None) or message or None,
        mlflow_run_id=ended.run_id if ended else None,
    )


def _without_mlflow(state: str, job_id: str) -> tuple[Status, list[str]]:
    """What KFP alone says: the status, and which steps have failed."""
    if is_success(state):
        return "succeeded", []
    known = settled_run(job_id, with_spec=True)
    heard = Heard(state=state, cancelled=known.cancelled, succeeded=known.group == "SUCCEEDED")
    return _STATUS.get(final_status(heard), "failed"), known.failed


def _states_here() -> dict[str, str]:
    """The states of the steps of a run on this machine."""
    file = Path(os.environ.get(LOCAL_ENV) or "/nowhere", STATES_FILE)
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else {}
