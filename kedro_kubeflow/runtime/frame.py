"""The tasks around the steps: start the MLflow run, mark its success, close it at the end."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kedro_kubeflow.contract import JOB_ID_INPUT, JOB_NAME_INPUT, LOCAL_ENV, RUN_ID_INPUT, STATUS_INPUT, StepCall
from kedro_kubeflow.errors import ConfigError, StepError
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.runtime.code import changed_in_image, requirements_warning
from kedro_kubeflow.runtime.code_source import code_bytes
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.kubeflow_api import kubeflow_run, settled_run
from kedro_kubeflow.runtime.outcome import Ended
from kedro_kubeflow.runtime.run_hooks import selected, tell_begin
from kedro_kubeflow.runtime.session import open_for, session_for, tracked_context
from kedro_kubeflow.runtime.vertex import on_vertex
from kedro_kubeflow.runtime.workflow_name import workflow_name
from kedro_kubeflow.tracking import tags
from kedro_kubeflow.tracking.code import log_code
from kedro_kubeflow.tracking.experiment import experiment
from kedro_kubeflow.tracking.finish import finish as finish_run
from kedro_kubeflow.tracking.finish import mark_success, unfinished
from kedro_kubeflow.tracking.kfp_native import run_to_adopt
from kedro_kubeflow.tracking.lookup import find_anywhere
from kedro_kubeflow.tracking.resumed import take_over
from kedro_kubeflow.tracking.server import client, shown, tracking_errors
from kedro_kubeflow.tracking.start import start_run, take
from kedro_kubeflow.tracking.status import FINISHED, RUNNING, Heard, all_succeeded, is_success

_log = logging.getLogger(__name__)


def start(call: StepCall, executor: Executor) -> None:
    """Open the pipeline's one MLflow run and hand its id to every step.

    Raises:
        TrackingError: MLflow cannot be reached or refuses.
        ConfigError: mlflow.yml is wrong, or asks for two runs at once.
    """
    project = open_for(call, executor)
    with tracking_errors(), session_for(project) as session:
        context = _context_once_more(session)
        mlflow = client()
        run_id = _open_run(call, executor, project, context)
        experiment_id = str(mlflow.get_run(run_id).info.experiment_id)
        if resumed := call.settings.get("resume"):
            steps, made = resumed.get("steps") or (), resumed.get("made") or {}
            take_over(mlflow, run_id, earlier=resumed["run"], steps=steps, datasets=made)
        if call.code:
            log_code(mlflow, run_id, code_bytes(call, executor), call.code)
        if project.hooks_per_run:
            tell_begin(project, call, run_id)
    executor.put_out("run_id", run_id)
    for artifact in call.outputs:
        if artifact.how != "link":
            continue
        path = executor.output_path(artifact.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(link_to(experiment_id, run_id), "utf-8")
        executor.describe(artifact.name, {"display_name": artifact.dataset, "mlflow_run_id": run_id})
    executor.write()
    _note(run_id=run_id, experiment_id=experiment_id, status=RUNNING)
    _log.info("MLflow run %s in experiment %s", run_id, experiment_id)


def succeed(call: StepCall, executor: Executor) -> None:
    """Close the run as FINISHED: every step has succeeded.

    Raises:
        StepError: one has not, and Kubeflow does not know it.
    """
    run_id = str(executor.parameters[RUN_ID_INPUT])
    with tracking_errors(), session_for(open_for(call, executor)) as session:
        tracked_context(session)
        mlflow = client()
        run = mlflow.get_run(run_id)
        if left := unfinished(run):
            raise StepError(
                f"The run has not succeeded: something has ended the process of {', '.join(left)}, with exit code 0, before its "
                "results were stored",
                cure="look at the end of its log; most often a node, or a library that it uses, ends the process",
            )
        mark_success(mlflow, run)
    executor.write()
    _note(run_id=run_id, status=FINISHED)


def finish(call: StepCall, executor: Executor) -> Ended | None:
    """Write the run's final status, whatever became of the steps; gives what the run then says, None where there is none."""
    job_id = str(executor.parameters[JOB_ID_INPUT])
    ended: Ended | None = None
    with tracking_errors(), session_for(open_for(call, executor)) as session:
        context = tracked_context(session)
        mlflow = client()
        found = find_anywhere(mlflow, experiment_name(call, context), correlation(job_id, executor.parameters))
        for run in found[:1]:
            now = finish_run(mlflow, run, _heard(executor, run))
            _note(run_id=str(run.info.run_id), status=now)
            _log.info("MLflow run %s is %s", run.info.run_id, now)
            ended = _ended(mlflow.get_run(run.info.run_id), now)
    if ended is None:
        _log.warning("No MLflow run belongs to the run %s: it was never started", job_id)
    executor.write()
    return ended


def tell(mlflow_run_id: str, problems: str) -> None:
    """Say in the MLflow run, which ``finish`` has found, what went wrong after the pipeline's end.

    An empty text takes back what an earlier end has said.
    """
    with tracking_errors():
        if problems:
            tags.write(client(), mlflow_run_id, {tags.EXIT_ERROR: problems})
        else:
            tags.erase(client(), mlflow_run_id, tags.EXIT_ERROR)


def _heard(executor: Executor, run: Any) -> Heard:
    """What is heard of the end: KFP's word, and where that is not that all went well, the API's."""
    given = executor.parameters.get(STATUS_INPUT)
    status: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    error = status.get("error")
    heard = Heard(
        state=str(status.get("state", "")),
        error=str(error.get("message", "")) if isinstance(error, Mapping) else "",
        marked=tags.STEPS not in run.data.tags,
    )
    if is_success(heard.state):
        return heard
    job_id, number = str(executor.parameters[JOB_ID_INPUT]), run.data.tags.get(tags.STEPS)
    # Either a retry went well, or the launcher of the last step was gone before it had uploaded the outputs.
    doubtful = number is not None and all_succeeded(tags.steps_in(run.data.tags).values(), int(number))
    known = settled_run(job_id) if doubtful else kubeflow_run(job_id)
    return replace(
        heard, asked=bool(known.entry), cancelled=known.cancelled, succeeded=doubtful and known.group == "SUCCEEDED"
    )


def _ended(run: Any, status: str) -> Ended:
    steps = {key.removeprefix(tags.STEP_PREFIX): value for key, value in tags.steps_in(run.data.tags).items()}
    return Ended(str(run.info.run_id), status, steps, run.data.tags.get(tags.ERROR))


def _open_run(call: StepCall, executor: Executor, project: OpenProject, context: Any) -> str:
    """The id of the run: one that is there already and is to be used, or a new one."""
    mlflow = client()
    job_id = str(executor.parameters[JOB_ID_INPUT])
    known = correlation(job_id, executor.parameters)
    written = {**known, **_pipeline_tags(call, executor, project, context)}
    adopted = run_to_adopt(mlflow, _kfp_native(call), job_id)
    named = configured(context, "run", "id")
    if adopted is not None:
        if named and named != adopted.info.run_id:
            raise ConfigError(
                f"Kubeflow Pipelines has an MLflow run of this pipeline run, and mlflow.yml names another, {named!r}",
                where="mlflow.yml, tracking.run.id",
                cure="remove tracking.run.id, or set run_config.mlflow.kfp_native to `ignore` in kubeflow.yml",
            )
        take(mlflow, adopted, {**written, tags.ADOPTED: "true"})
        return str(adopted.info.run_id)
    if named:
        # kedro-mlflow goes on with that run, whatever experiment it is in, and so does the pipeline.
        take(mlflow, mlflow.get_run(str(named)), written)
        return str(named)
    return start_run(
        mlflow,
        experiment_id=experiment(mlflow, experiment_name(call, context)),
        name=_run_name(context, executor),
        correlation=known,
        more={**written, **_source_tags(call, written, _kubeflow_name(executor))},
    )


def correlation(job_id: str, parameters: Mapping[str, Any]) -> dict[str, str]:
    """The tags that tie the MLflow run to the pipeline run: on Vertex AI Pipelines to its job."""
    if on_vertex():
        name = str(parameters.get(JOB_NAME_INPUT) or "")
        return {tags.VERTEX_RUN_ID: job_id, **({tags.VERTEX_JOB_NAME: name} if name else {})}
    return {tags.RUN_ID: job_id}


def link_to(experiment_id: str, run_id: str) -> str:
    """Markdown that leads from the Kubeflow UI to the MLflow run."""
    import mlflow

    uri = mlflow.get_tracking_uri()
    if uri.startswith(("http://", "https://")):
        # An address may hold a user and a password; what people click must not.
        link = f"{shown(uri).rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"
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
    file.write_text(json.dumps({**known, "tracking_uri": shown(mlflow.get_tracking_uri()), **facts}), "utf-8")


def _context_once_more(session: Any) -> Any:
    """The context; tried again where another start task has made the experiment at the same moment."""
    from mlflow.exceptions import MlflowException

    try:
        return tracked_context(session)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return tracked_context(session)


def configured(context: Any, section: str, key: str) -> Any:
    """A value of mlflow.yml's ``tracking``, as kedro-mlflow has read it; None without kedro-mlflow."""
    config = getattr(context, "mlflow", None)
    return getattr(getattr(config.tracking, section), key) if config is not None else None


def experiment_name(call: StepCall, context: Any) -> str:
    """The experiment that the pipeline logs to, as mlflow.yml or the environment names it."""
    named = configured(context, "experiment", "name") or os.environ.get("MLFLOW_EXPERIMENT_NAME")
    return str(named or call.settings.get("experiment") or "Default")


def _run_name(context: Any, executor: Executor) -> str:
    return str(configured(context, "run", "name") or _kubeflow_name(executor) or "kedro")


def _kubeflow_name(executor: Executor) -> str:
    """What the run is called where it runs; runs of a schedule have no name of their own, and are shown under the Workflow's."""
    return str(executor.parameters.get(JOB_NAME_INPUT) or workflow_name(os.environ.get("HOSTNAME", "")))


def _kfp_native(call: StepCall) -> str:
    how = str(call.settings.get("kfp_native", "auto"))
    # On this machine there is no API server that could have made a run.
    return "auto" if LOCAL_ENV in os.environ and how == "adopt" else how


def _pipeline_tags(call: StepCall, executor: Executor, project: OpenProject, context: Any) -> dict[str, str]:
    """What is said of the whole pipeline; what is empty is left out."""
    env = str(project.env or getattr(context.config_loader, "default_run_env", None) or "")
    written = {
        tags.PIPELINE: call.pipeline,
        tags.ENV: env,
        tags.IMAGE: str(call.settings.get("image", "")),
        tags.LATEST_NODE: call.step,
        tags.STEPS: str(call.settings.get("steps", "")),
        tags.COMMIT: str(call.settings.get("commit", "")),
        **(_code_tags(call) if call.code else {}),
        **(_run_parameters(call, env) if hasattr(context, "mlflow") else {}),
    }
    written[tags.RUN_URL] = _run_url(call, executor)
    return {key: value for key, value in written.items() if value}


def _code_tags(call: StepCall) -> dict[str, str]:
    """Which code it is, and whether the image suits it."""
    changed = changed_in_image()
    warning = {tags.CODE_WARNING: requirements_warning(changed)} if changed else {}
    return {tags.CODE: str(call.code), **warning}


def _run_url(call: StepCall, executor: Executor) -> str:
    """Where people look at the pipeline run; empty where that is nowhere, as on this machine."""
    host, page = call.settings.get("ui_host"), call.settings.get("run_url")
    if on_vertex():
        return str(page).replace("{job}", str(executor.parameters.get(JOB_NAME_INPUT, ""))) if page else ""
    here = LOCAL_ENV in os.environ
    return f"{host}/#/runs/details/{executor.parameters[JOB_ID_INPUT]}" if host and not here else ""


def _run_parameters(call: StepCall, env: str) -> dict[str, str]:
    """What kedro-mlflow would say of one ``kedro run`` of the pipeline, which the steps' own runs must not overwrite."""
    import kedro

    return {
        "kedro_command": str(
            call.settings.get("kedro_command") or f"kedro run --pipelines={','.join(call.pipeline_names)}"
        ),
        "kedro_version": kedro.__version__,
        "pipeline_names": str(list(call.pipeline_names)),
        "env": env,
        **{name: str(names) for name, names in selected(call).items()},
    }


def _source_tags(call: StepCall, written: Mapping[str, str], name: str) -> dict[str, str]:
    """MLflow's own tags of a run that is ours from its start: where it comes from, and the way back."""
    url = written.get(tags.RUN_URL)
    plain = name.translate({ord("["): "(", ord("]"): ")"})
    shown = "Vertex AI job" if on_vertex() else f"Kubeflow run {plain}".strip()
    note = {tags.NOTE: f"[{shown}]({url})"} if url else {}
    return {tags.SOURCE_NAME: f"kedro kubeflow: {call.pipeline}", tags.SOURCE_TYPE: "JOB", **note}
