"""A Kedro session for one task: the project opened, the task's hooks registered before all others."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.project.opening import OpenProject, open_project


def open_for(call: StepCall) -> OpenProject:
    """Open the project that a call is about, in the working directory or as a package."""
    # Telemetry waits ten seconds for a network that pods often lack, and writes into the project.
    os.environ.setdefault("DO_NOT_TRACK", "1")
    # Some seconds of an absent server must not fail a step; the default of four minutes hides an address that is wrong.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "5")
    # Kubeflow's own MLflow plugin sets a run of its own for each task; the pipeline's run is joined by its id instead.
    os.environ.pop("MLFLOW_RUN_ID", None)
    return open_project(env=call.env, package=call.package, conf_source=call.conf_source)


def session_for(project: OpenProject, runtime_params: Mapping[str, Any] | None = None, *, watch: Any = None) -> Any:
    """A session, not yet entered."""
    from kedro.framework.project import settings
    from kedro.framework.session import KedroSession

    if watch is not None:
        settings.set("HOOKS", (*settings.HOOKS, watch))
    return KedroSession.create(
        project_path=project.path,
        save_on_close=False,
        env=project.env,
        runtime_params=dict(runtime_params or {}),
        conf_source=project.conf_source,
    )
