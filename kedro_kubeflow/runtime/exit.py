"""The exit task: close the MLflow run, run the exit pipeline, send notifications; none of them keeps the others from it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from kedro_kubeflow import names
from kedro_kubeflow.contract import EXIT_DONE, LOCAL_ENV, OUTCOME_PARAMETER, RUN_ID_INPUT, StepCall
from kedro_kubeflow.errors import KedroKubeflowError, StepError, described
from kedro_kubeflow.parameters import encode, encoding_of
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.notification import notify
from kedro_kubeflow.runtime.outcome import Ended, Outcome, outcome_of
from kedro_kubeflow.runtime.run_hooks import PER_RUN, tell_end
from kedro_kubeflow.runtime.session import open_for
from kedro_kubeflow.runtime.vertex import on_vertex
from kedro_kubeflow.tracking.redaction import redacted

_HOW = {"succeeded": "has succeeded", "failed": "has failed", "cancelled": "was cancelled"}
_log = logging.getLogger(__name__)


def leave(call: StepCall, executor: Executor) -> None:
    """Do all that is to be done at the end of a run.

    Raises:
        KedroKubeflowError: some of it failed; the rest was done.
        SystemExit: all of it was done, and the run may be retried.
    """
    problems: list[Exception] = []
    ended: Ended | None = None
    if call.tracking:
        from kedro_kubeflow.runtime.frame import finish

        with _apart(problems, "Closing the MLflow run"):
            ended = finish(call, executor)
    else:
        executor.write()
    outcome = outcome_of(call, executor, ended)
    # Printed: a project's logging most often leaves out what is no warning of another package.
    print(f"The run {_HOW[outcome.status]}", *outcome.failed_steps, sep="\n  ", flush=True)
    if call.settings.get("hooks") == PER_RUN:
        with _apart(problems, "A hook of the project"):
            tell_end(open_for(call, executor), call, outcome)
    if "exit_pipeline" in call.settings:
        with _apart(problems, "The exit pipeline"):
            _run_pipeline(call, executor, outcome)
    for notification in call.settings.get("notifications", ()):
        if outcome.status in notification["when"]:
            with _apart(problems, "A notification"):
                notify(notification, outcome, env=call.env, ui_host=call.settings.get("ui_host"))
    if outcome.mlflow_run_id:
        _tell(outcome.mlflow_run_id, problems)
    if problems:
        raise problems[0] if len(problems) == 1 else StepError("\n".join(map(str, problems)))
    if outcome.status != "succeeded" and _may_be_retried():
        # Kubeflow runs an exit task again at the end of a retry only if it has failed itself.
        print(EXIT_DONE, flush=True)
        raise SystemExit(1)


def _may_be_retried() -> bool:
    """Whether people can retry a run here."""
    return LOCAL_ENV not in os.environ and not on_vertex()


def _tell(mlflow_run_id: str, problems: Sequence[Exception]) -> None:
    from kedro_kubeflow.runtime.frame import tell

    try:
        tell(mlflow_run_id, redacted("\n".join(map(str, problems))))
    except Exception:
        # They are told in this task's log as well, and by its exit code.
        _log.exception("What went wrong could not be written to the MLflow run %s", mlflow_run_id)


@contextmanager
def _apart(problems: list[Exception], what: str) -> Iterator[None]:
    """Keep what goes wrong in one part for the end."""
    try:
        yield
    except KedroKubeflowError as error:
        problems.append(error)
        _log.error("%s failed: %s", what, error)
    except Exception as error:
        problems.append(StepError(f"{what} failed: {described(error)}"))
        _log.exception("%s failed", what)


def _run_pipeline(call: StepCall, executor: Executor, outcome: Outcome) -> None:
    """Run the exit pipeline in a process of its own, so that nothing that it does keeps this one from going on."""
    told = {OUTCOME_PARAMETER: outcome.facts(), **outcome.as_in_argo()}
    # A dash that is not before a digest: no parameter of the project has such a name.
    given = {f"kubeflow-run-{name}": (name, told[name]) for name in call.settings["exit_told"]}
    tracked = bool(call.settings.get("exit_tracking") and outcome.mlflow_run_id)
    child = replace(
        call,
        action="run",
        step=names.EXIT_PIPELINE,
        pipeline=str(call.settings["exit_pipeline"]),
        pipelines=(),
        parameters=(*call.parameters, *((name, encoding_of(key, value)) for name, (key, value) in given.items())),
        tracking=tracked,
        settings={**call.settings, "at_exit": True},
    )
    if call.code and tracked:
        # An exit task is given no artifacts; the MLflow run holds the code.
        child = replace(child, settings={**child.settings, "code": {"mlflow": outcome.mlflow_run_id}})
    else:
        child = replace(child, code=None)
    values = {name: encode(encoding_of(key, value), value) for name, (key, value) in given.items()}
    argv = child.to_argv()
    argv[0] = sys.executable
    argv[-1] = executor.text({**values, **({RUN_ID_INPUT: outcome.mlflow_run_id} if tracked else {})})
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as process:
        try:
            code = process.wait()
        except BaseException:
            process.terminate()
            raise
    if code:
        raise StepError(
            f"The exit pipeline {child.pipeline!r} failed (exit code {code}); its own words are above",
            where="kubeflow.yml, run_config.on_exit_pipeline",
        )
