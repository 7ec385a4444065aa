"""Run a project's pipeline on this machine, through the very IR that would be uploaded."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from kedro_kubeflow import names
from kedro_kubeflow.config.local import bytes_of
from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.entries import local_path
from kedro_kubeflow.errors import TrackingError
from kedro_kubeflow.plan import Plan
from kedro_kubeflow.plan.aliases import plain_path
from kedro_kubeflow.plan.nodes import base_name
from kedro_kubeflow.prepared import Prepared
from kedro_kubeflow.project.image_files import ImageFiles
from kedro_kubeflow.project.mlflow_plugin import is_folder, refuses_folders, tracking_uri, unknown_scheme
from kedro_kubeflow.targets.base.run import Run
from kedro_kubeflow.targets.local import record
from kedro_kubeflow.targets.local.adapter import Runner
from kedro_kubeflow.targets.local.cache import cache_folder, code_key
from kedro_kubeflow.targets.local.history import prune
from kedro_kubeflow.targets.local.run import LocalRun, run_here


def run_local(
    prepared: Prepared,
    *,
    runner: Runner = "subprocess",
    isolated: bool = False,
    on_change: Callable[[LocalRun], None] = lambda _: None,
    on_run: Callable[[Run], None] = lambda _: None,
) -> LocalRun:
    """Run a compiled pipeline here; afterwards, clear away the oldest runs beyond what the configuration keeps.

    Args:
        isolated: whether steps share nothing, as in pods: each works in a copy of what an image would hold.
        on_change: is called with the run whenever something in it changes.
        on_run: the same, with the run as every target tells of it.

    Raises:
        TrackingError: the tracking server does not answer.
        KedroKubeflowError: the run could not start.
    """
    plan = prepared.plan
    if plan.tracking:
        _check_tracking_server(tracking_uri(prepared.project.config_loader()), plugin=prepared.facts.mlflow.installed)
    recorder = record.Recorder(
        f"{prepared.compiled.display_name} {datetime.now():%Y-%m-%d %H:%M:%S}",
        prepared.compiled.name,
        prepared.compiled.tags,
    )
    folders: list[Path] = []

    def changed(run: LocalRun) -> None:
        folders[:] = [run.folder]
        on_run(recorder.changed(run))
        on_change(run)

    with record.interruptible(lambda: next(iter(folders), None)):
        run = _run(prepared, runner, isolated, changed)
    limits = prepared.config.local
    prune(prepared.project.path, keep=limits.keep_runs, max_bytes=bytes_of(limits.max_size))
    return run


def _run(prepared: Prepared, runner: Runner, isolated: bool, on_change: Callable[[LocalRun], None]) -> LocalRun:
    plan = prepared.plan
    return run_here(
        prepared.compiled,
        project=prepared.project.path,
        steps=[task.display_name for task in plan.tasks if task.call],
        finish=plan.exit_task.call if plan.exit_task else _finish_call(plan) if plan.tracking else None,
        runner=runner,
        cache=_cache_folder(prepared),
        volume=_volume(prepared),
        image=_image_files(prepared) if isolated else None,
        isolation=prepared.config.local.isolation,
        max_parallel=prepared.config.local.max_parallel or os.cpu_count() or 1,
        types={str(entry["type"]) for entry in plan.scope.entries.values() if entry and "type" in entry},
        package=prepared.project.package,
        on_change=on_change,
    )


def _image_files(prepared: Prepared) -> ImageFiles:
    project, free = prepared.project, set(prepared.plan.free_inputs)
    root = project.path.as_posix()
    local = {name: plain_path(handed, root) for name, handed in prepared.plan.scope.handoffs.items() if handed.path}
    raw = [path for name, path in local.items() if base_name(name) in free]
    # What is read before it is written is both.
    made = [path for name, path in local.items() if base_name(name) not in free and path not in raw]
    own = Path(project.conf_source, "local")
    inside = [own.relative_to(project.path).as_posix()] if own.is_relative_to(project.path) else []
    return ImageFiles(project.path, left_out=(*made, *inside), kept=tuple(raw))


def _volume(prepared: Prepared) -> Literal["keep", "delete"] | None:
    volume = prepared.config.run_config.volume
    return None if volume is None else "keep" if volume.keep else "delete"


def _cache_folder(prepared: Prepared) -> Path | None:
    """Where results of cached steps are kept; None where no step is cached."""
    if not any(task.cache for task in prepared.plan.tasks):
        return None
    project, free = prepared.project, set(prepared.plan.free_inputs)
    raw = [
        local_path(entry) for name, entry in prepared.plan.scope.entries.items() if entry and base_name(name) in free
    ]
    code = [project.path / "pyproject.toml", project.source, Path(project.conf_source)]
    return cache_folder(project.path, code_key(code, [project.path / path for path in raw if path]))


def _finish_call(plan: Plan) -> StepCall:
    return replace(plan.common_call, action="finish", step=names.END_RUN, tracking=True)


_ADDRESS = "mlflow.yml, server.mlflow_tracking_uri"


def _check_tracking_server(uri: str | None, *, plugin: bool) -> None:
    """Ask before anything runs: MLflow itself tries for a long time until it says that nobody answers.

    Args:
        plugin: whether kedro-mlflow is there, which logs to a folder where no address is given.
    """
    parts = urlsplit(uri or "")
    if unknown := unknown_scheme(uri or ""):
        raise TrackingError(
            f"The address of the MLflow server begins with {unknown!r}, which is nothing that MLflow knows",
            where=_ADDRESS,
            cure="mend it there: https://…, or sqlite:///mlflow.db to try it on this machine",
        )
    if (uri or plugin) and is_folder(uri or "") and refuses_folders():
        raise TrackingError(
            f"MLflow refuses to log to a folder ({uri or 'mlruns, as no server is named'})",
            where=_ADDRESS,
            cure="name a server there (`kedro mlflow init` writes the file), or sqlite:///mlflow.db to try it on this machine; "
            "or switch tracking off (run_config.mlflow.enabled: false)",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname, port), timeout=5).close()
    except OSError as error:
        raise TrackingError(
            f"The MLflow server does not answer: {error}",
            where=f"{parts.scheme}://{parts.hostname}:{port} (mlflow.yml, server.mlflow_tracking_uri)",
            cure="start it, mend the address, or switch tracking off for this pipeline "
            "(mlflow.yml, tracking.disable_tracking.pipelines)",
        ) from None
