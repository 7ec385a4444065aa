"""A Kedro session for one task: the project opened, the task's hooks registered before all others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.errors import ConfigError, KedroKubeflowError, ProjectError, described
from kedro_kubeflow.project.mlflow_plugin import is_installed, switch_off, tracking_uri
from kedro_kubeflow.project.opening import OpenProject, last_line, open_project, own_line
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.given import Given, given_to
from kedro_kubeflow.runtime.leaving import call_of
from kedro_kubeflow.runtime.local_store import keep_store
from kedro_kubeflow.runtime.mlflow_address import BareAddress, part_variable
from kedro_kubeflow.runtime.termination import Terminated

# How long a task waits for a tracking server that does not answer, in seconds.
PATIENCE_ENV = "KEDRO_KUBEFLOW_MLFLOW_PATIENCE"
# The start task may have a wrong address; for the others, the server was there before. As long as MLflow's own retries.
START_PATIENCE, LATER_PATIENCE = 60.0, 240.0


@dataclass(frozen=True)
class TaskProject(OpenProject):
    """The project, and what the run has given the task."""

    given: Given = field(default_factory=Given)
    hooks_per_run: bool = False
    """Whether hooks of a run hear of the whole run alone, in the start and the exit task."""


def open_for(call: StepCall, executor: Executor) -> TaskProject:
    """Open the project that a call is about, in the working directory or as a package.

    Raises:
        ProjectError: it cannot be opened, or a provider of dynamic configuration fails.
        TrackingError: the call is about an MLflow run, and the server does not answer.
    """
    # Telemetry waits ten seconds for a network that pods often lack, and writes into the project.
    os.environ.setdefault("DO_NOT_TRACK", "1")
    opened = open_project(env=call.env, package=call.package, conf_source=call.conf_source, in_pod=True)
    if "dynamic_config" in call.settings:
        from kedro_kubeflow.runtime.dynamic import install

        install(call.settings["dynamic_config"])
    if call.settings.get("mlflow") == "off":
        switch_off()
    part_variable()
    given = given_to(opened, call, executor)
    project = TaskProject(**{**vars(opened), "runtime_params": given.overrides}, given=given)
    project = replace(project, hooks_per_run=call.settings.get("hooks") == "per_run")
    if call.tracking:
        from kedro_kubeflow.tracking.kfp_native import drop_task_run
        from kedro_kubeflow.tracking.server import await_server

        drop_task_run()
        uri = tracking_uri(project.config_loader()) if is_installed() else os.environ.get("MLFLOW_TRACKING_URI")
        keep_store(uri)
        await_server(uri, _patience(call))
    return project


def _patience(call: StepCall) -> float:
    given = os.environ.get(PATIENCE_ENV)
    if given is None:
        return START_PATIENCE if call.action == "start" else LATER_PATIENCE
    try:
        return float(given)
    except ValueError:
        raise ConfigError(f"{given!r} is no number of seconds", where=f"environment variable {PATIENCE_ENV}") from None


def session_for(project: OpenProject, *, watch: Any = None) -> Any:
    """A session with the project's run-time parameters, not yet entered."""
    from kedro.framework.project import settings
    from kedro.framework.session import KedroSession

    ours = (BareAddress(),) if watch is None else (watch, BareAddress())
    own = settings.HOOKS
    if watch is not None and getattr(project, "hooks_per_run", False):
        from kedro_kubeflow.runtime.parts_of_hooks import plugins, without_run_hooks

        others = plugins()
        settings.set("DISABLE_HOOKS_FOR_PLUGINS", (*settings.DISABLE_HOOKS_FOR_PLUGINS, *others))
        own = tuple(without_run_hooks(hooks) for hooks in (*own, *(one for found in others.values() for one in found)))
    settings.set("HOOKS", (*own, *ours))
    # A class of its own, as the project's settings name it; one of another kind, as Kedro's server has, runs no single step.
    # Kedro 1.2 has no such setting yet.
    named = getattr(settings, "SESSION_CLASS", KedroSession)
    session_class = named if issubclass(named, KedroSession) else KedroSession
    with _session_errors():
        return session_class.create(
            project_path=project.path,
            save_on_close=False,
            env=project.env,
            runtime_params=dict(project.runtime_params),
            conf_source=project.conf_source,
        )


@contextmanager
def _session_errors() -> Iterator[None]:
    """What fails here is a plugin's import, as a rule: Kedro loads them all with the session."""
    try:
        yield
    except (KedroKubeflowError, Terminated):
        raise
    except (Exception, SystemExit) as error:
        called = f"the code there calls {call_of(error)}" if isinstance(error, SystemExit) else described(error)
        raise ProjectError(
            f"Kedro cannot make its session, with which it loads the hooks of the project and of every plugin: {called}",
            where=own_line(error) or f"settings.py, HOOKS; or {last_line(error)}",
            cure="mend it, or leave the plugin out of the image: DISABLE_HOOKS_FOR_PLUGINS does not keep it from being loaded",
        ) from error


def tracked_context(session: Any) -> Any:
    """The session's context: kedro-mlflow, if it is there, sets MLflow up when it is loaded.

    Raises:
        ConfigError: kedro-mlflow or another plugin refuses its configuration.
    """
    try:
        return session.load_context()
    except KedroKubeflowError:
        raise
    except ValueError as error:
        # So pydantic says what is wrong in mlflow.yml, and kedro-mlflow what is wrong with a header provider.
        line = " ".join(str(error).split())
        raise ConfigError(
            f"The Kedro context does not load: {line}", where="mlflow.yml, or a hook's settings"
        ) from error
