"""The tasks around the steps: start the MLflow run, mark its success, close it at the end."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro_kubeflow.contract import JOB_ID_INPUT, JOB_NAME_INPUT, LOCAL_ENV, RUN_ID_INPUT, STATUS_INPUT, StepCall
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.session import open_for, session_for
from kedro_kubeflow.tracking import run as tracking
from kedro_kubeflow.tracking import tags

_log = logging.getLogger(__name__)


def start(call: StepCall, executor: Executor) -> None:
    """Open the pipeline's one MLflow run and hand its id to every step.

    Raises:
        TrackingError: MLflow cannot be reached or refuses.
    """
    with tracking.tracking_errors():
        context = _context(call)
        client = tracking.client()
        experiment_id = tracking.experiment(client, _experiment_name(call, context))
        run_id = tracking.start_run(
            client,
            experiment_id=experiment_id,
            name=_run_name(context, executor),
            correlation=correlation(str(executor.parameters[JOB_ID_INPUT]), executor.parameters),
            more=_more_tags(call, executor),
        )
    executor.put_out("run_id", run_id)
    for crossing in call.outputs:
        path = executor.output_path(crossing.artifact)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(link_to(experiment_id, run_id), "utf-8")
        executor.describe(crossing.artifact, {"display_name": crossing.dataset, "mlflow_run_id": run_id})
    executor.write()
    _note(run_id=run_id, experiment_id=experiment_id, status=tracking.RUNNING)
    _log.info("MLflow run %s in experiment %s", run_id, experiment_id)


def succeed(call: StepCall, executor: Executor) -> None:
    """Close the run as FINISHED: every step has succeeded."""
    with tracking.tracking_errors():
        _context(call)
        run_id = str(executor.parameters[RUN_ID_INPUT])
        tracking.mark_success(tracking.client(), run_id)
    executor.write()
    _note(run_id=run_id, status=tracking.FINISHED)


def finish(call: StepCall, executor: Executor) -> None:
    """Write the run's final status, whatever became of the steps."""
    status = executor.parameters.get(STATUS_INPUT) or {}
    kubeflow_run = str(executor.parameters[JOB_ID_INPUT])
    with tracking.tracking_errors():
        context = _context(call)
        client = tracking.client()
        experiment_id = tracking.experiment(client, _experiment_name(call, context))
        found = tracking.find_runs(client, [experiment_id], correlation(kubeflow_run, executor.parameters))
        if not found:
            every = [str(e.experiment_id) for e in client.search_experiments()]
            found = tracking.find_runs(client, every, correlation(kubeflow_run, executor.parameters))
        for run in found[:1]:
            now = tracking.finish(client, run, state=_state(status), error=_message(status))
            _note(run_id=str(run.info.run_id), status=now)
            _log.info("MLflow run %s is %s", run.info.run_id, now)
    if not found:
        _log.warning("No MLflow run belongs to the run %s: it was never started", kubeflow_run)
    executor.write()


def correlation(job_id: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    """The tags that tie the MLflow run to the pipeline run: on Vertex AI Pipelines to its job.

    Vertex AI sets ``CLOUD_ML_PROJECT_ID`` in every container
    (https://cloud.google.com/vertex-ai/docs/training/code-requirements#environment-variables).
    """
    if "CLOUD_ML_PROJECT_ID" in os.environ:
        name = str(parameters.get(JOB_NAME_INPUT) or "")
        return {tags.VERTEX_RUN_ID: job_id, **({tags.VERTEX_JOB_NAME: name} if name else {})}
    return {tags.RUN_ID: job_id}


def link_to(experiment_id: str, run_id: str) -> str:
    """Markdown that leads from the Kubeflow UI to the MLflow run."""
    import mlflow

    uri = mlflow.get_tracking_uri()
    if uri.startswith(("http://", "https://")):
        from urllib.parse import urlsplit

        parts = urlsplit(uri)
        # An address may hold a user and a password; what people click must not.
        host = parts.netloc.rpartition("@")[2]
        link = f"{parts.scheme}://{host}{parts.path.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"
        return f"MLflow run [{run_id}]({link})\n"
    return f"MLflow run `{run_id}` (experiment {experiment_id}); open it with `kedro mlflow ui`\n"


def _note(**facts: str) -> None:
    """Tell a run on this machine what became of the MLflow run."""
    folder = os.environ.get(LOCAL_ENV)
    if not folder or not Path(folder).is_dir():
        return
    import mlflow

    file = Path(folder, "mlflow.json")
    known = json.loads(file.read_text("utf-8")) if file.exists() else {}
    file.write_text(json.dumps({**known, "tracking_uri": mlflow.get_tracking_uri(), **facts}), "utf-8")


def _context(call: StepCall) -> Any:
    """Let kedro-mlflow set MLflow up: address, credentials, request headers, experiment."""
    project = open_for(call)
    with session_for(project) as session:
        return session.load_context()


def _mlflow_config(context: Any) -> Any:
    return getattr(context, "mlflow", None)


def _experiment_name(call: StepCall, context: Any) -> str:
    config = _mlflow_config(context)
    named = config.tracking.experiment.name if config else os.environ.get("MLFLOW_EXPERIMENT_NAME")
    return str(named or call.settings.get("experiment") or "Default")


def _run_name(context: Any, executor: Executor) -> str:
    config = _mlflow_config(context)
    named = config.tracking.run.name if config else None
    return str(named or executor.parameters.get(JOB_NAME_INPUT) or "kedro")


def _more_tags(call: StepCall, executor: Executor) -> dict[str, str]:
    written = {
        tags.PIPELINE: call.pipeline,
        tags.ENV: call.env or "",
        tags.IMAGE: str(call.settings.get("image", "")),
        "mlflow.source.name": f"kedro kubeflow: {call.pipeline}",
        "mlflow.source.type": "JOB",
    }
    host = call.settings.get("ui_host")
    if host:
        url = f"{host}/#/runs/details/{executor.parameters[JOB_ID_INPUT]}"
        written |= {tags.RUN_URL: url, "mlflow.note.content": f"[Kubeflow run]({url})"}
    return {key: tags.shorten(value) for key, value in written.items() if value}


def _state(status: Any) -> str:
    return str(status.get("state", "")) if isinstance(status, Mapping) else ""


def _message(status: Any) -> str:
    error = status.get("error") if isinstance(status, Mapping) else None
    return str(error.get("message", "")) if isinstance(error, Mapping) else ""
