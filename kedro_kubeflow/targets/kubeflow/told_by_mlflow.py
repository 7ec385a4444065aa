"""The steps' own tags on their MLflow run: what each step says of itself, where this machine reaches the MLflow server."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.targets.base.mlflow_here import impatient
from kedro_kubeflow.targets.base.run import Run, State
from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
from kedro_kubeflow.targets.kubeflow.told import Report, Told
from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.status import (
    KILLED,
    STEP_FAILED,
    STEP_RUNNING,
    STEP_SUCCEEDED,
    STEP_TERMINATED,
    Heard,
)

log = logging.getLogger(__name__)

SECONDS = 3.0
"""How long the server may take to accept a connection."""
_STATES: dict[str, State] = {
    STEP_SUCCEEDED: "SUCCEEDED",
    STEP_RUNNING: "RUNNING",
    STEP_FAILED: "FAILED",
    STEP_TERMINATED: "CANCELED",
}


@dataclass(frozen=True)
class MlflowTags:
    """The MLflow server of a project.

    Attributes:
        uri: its address; None where the project's runs are not tracked.
        set_up: prepares this process for it, as the project's own configuration says; where it is None, the address and
            MLflow's own variables are all that is needed.
    """

    uri: str | None
    set_up: Callable[[], None] | None = None

    def of(self, run: KubeflowRun, *, repairs: bool = False) -> Report:
        """What the steps of a run say of themselves; why nothing is known, where the server cannot be asked.

        Args:
            repairs: whether the MLflow run of a run that has ended is given the status that the Kubeflow run has.
        """
        from kedro_kubeflow.tracking.server import await_server, shown

        if self.uri is None:
            return Report(silence="the run is not tracked in MLflow")
        try:
            await_server(self.uri, SECONDS)
            with impatient():
                return self._asked(run, repairs=repairs)
        except KedroKubeflowError as error:
            return _unasked(f"MLflow at {shown(self.uri)} cannot be asked: {error.what}")
        except Exception as error:
            # What hooks of the project and MLflow raise is no reason not to tell what the API knows.
            log.debug("MLflow cannot be asked", exc_info=True)
            return _unasked(f"MLflow at {shown(self.uri)} cannot be asked: {tags.one_line(error)}")

    def _asked(self, run: KubeflowRun, *, repairs: bool) -> Report:
        from kedro_kubeflow.tracking.experiment import every_experiment
        from kedro_kubeflow.tracking.finish import finish, is_adopted
        from kedro_kubeflow.tracking.lookup import find_runs
        from kedro_kubeflow.tracking.server import client, shown

        if self.set_up:
            self.set_up()
        mlflow = client(None if self.set_up else self.uri)
        found = find_runs(mlflow, every_experiment(mlflow), {tags.RUN_ID: run.id})
        if not found:
            return Report(silence="MLflow has no run of it")
        status = str(found[0].info.status)
        if repairs and run.ended and status != run.mlflow_status and not is_adopted(found[0]):
            status = finish(mlflow, found[0], heard_of(run))
            found = [mlflow.get_run(found[0].info.run_id)]
        told = report_of(run, found[0].data.tags)
        known = {"run_id": str(found[0].info.run_id), "tracking_uri": shown(str(self.uri)), "status": status}
        return replace(told, mlflow=known)


def _unasked(why: str) -> Report:
    return Report(silence=why, unasked=why)


def heard_of(run: Run) -> Heard:
    """What is known of the end of a run that has ended, as the exit task would hear it."""
    state = "SUCCEEDED" if run.succeeded else "FAILED"
    return Heard(state=state, error=run.error or "", cancelled=run.mlflow_status == KILLED, asked=True)


def report_of(run: KubeflowRun, known: dict[str, str]) -> Report:
    """What the tags of an MLflow run say of a run's steps."""
    return Report(
        steps={step.display_name: told for step in run.steps if (told := _told(step.display_name, known)) is not None},
        error=known.get(tags.ERROR),
        silence="it has not said so in MLflow either",
        times={step.display_name: times for step in run.steps if (times := _times(step.display_name, known))},
    )


def _times(step: str, known: dict[str, str]) -> dict[str, Any]:
    try:
        times = json.loads(known.get(tags.times_key(tags.step_key(step)), "{}"))
    except ValueError:
        # Written by something else.
        return {}
    return times if isinstance(times, dict) else {}


def _told(step: str, known: dict[str, str]) -> Told | None:
    value = known.get(tags.step_key(step))
    state = _STATES.get((value or "").split(" ")[0].rstrip(":"))
    if value is None or state is None:
        return None
    said = value.partition(": ")[2] if state == "FAILED" else ""
    return Told(state=state, words=known.get(tags.step_error_key(step)) or said or None)
