"""Run one step: its nodes, in a real Kedro session, with every hook of the project and its plugins."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import kedro

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.errors import ConfigError, KedroKubeflowError, StepError, described
from kedro_kubeflow.names import task_name
from kedro_kubeflow.project.catalog import CatalogEntries
from kedro_kubeflow.project.conf import read_section
from kedro_kubeflow.project.opening import OpenProject, last_line, own_line
from kedro_kubeflow.runtime import garbage
from kedro_kubeflow.runtime.catalog import StepCatalog, in_processes, step_catalog
from kedro_kubeflow.runtime.executor import Executor
from kedro_kubeflow.runtime.leaving import NoWayOut, call_of
from kedro_kubeflow.runtime.made import say_what_was_made
from kedro_kubeflow.runtime.missing import missing_package, packages_of_image
from kedro_kubeflow.runtime.nodes import step_nodes
from kedro_kubeflow.runtime.not_asked import NOT_ASKED
from kedro_kubeflow.runtime.outputs import Outputs, is_disk_full
from kedro_kubeflow.runtime.session import open_for, session_for
from kedro_kubeflow.runtime.termination import Terminated
from kedro_kubeflow.runtime.watch import Watch


def run_step(call: StepCall, executor: Executor) -> None:
    """Run the step's nodes and write the executor output.

    Raises:
        StepError: a node, a dataset or a promised output failed.
        ProjectError: the image's project is not the one that was compiled.
        TrackingError: the MLflow run cannot be joined.
    """
    project = open_for(call, executor)
    with _told_if_it_fails(call, executor, project), packages_of_image(call):
        nodes = step_nodes(project, call)
        outputs = Outputs(call, executor)
        catalog = _catalog(project, call, executor, nodes)
        outputs.follow(catalog)
    silent = call.settings.get("mlflow") == "off"
    watch = Watch(catalog, project.given, lambda _: None, outputs.saved, without_mlflow=silent)
    with session_for(project, watch=watch) as session, _inside_run(call, executor, session, watch):
        garbage.look_again()
        with _step_errors(call, watch):
            session.run(
                **{**NOT_ASKED, "pipeline_names": list(call.pipeline_names), "node_names": tuple(call.nodes)},
                runner=_runner(call, watch),
            )
        if in_processes(call):
            outputs.read_back(watch.catalog, {name for node in nodes for name in node.outputs})
        outputs.finish()
    watch.times.note(task_name(call.step))
    say_what_was_made(call, executor)


def _runner(call: StepCall, watch: Watch) -> Any:
    """Which of Kedro's runners runs the nodes: as a rule, one after the other."""
    kind = call.settings.get("runner")
    if kind is None or len(call.nodes) < 2:
        from kedro.runner import SequentialRunner

        return SequentialRunner()
    from kedro_kubeflow.runtime.runners import step_runner

    return step_runner(kind, watch, call.settings.get("max_workers"))


def _catalog(project: OpenProject, call: StepCall, executor: Executor, nodes: list[Any]) -> StepCatalog:
    named = [name for node in nodes for name in (*node.inputs, *node.outputs, *node.confirms)]
    datasets = [name for name in named if name != "parameters" and not name.startswith("params:")]
    loader = project.config_loader()
    whole = read_section(loader, "catalog", missing={}) or {}
    used = CatalogEntries(whole).of(datasets)
    return step_catalog(whole, used, call, executor, credentials=_credentials(loader))


def _credentials(loader: Any) -> Iterable[str]:
    """The names of the credentials that are here; where they cannot be read, Kedro will say so with the context."""
    try:
        return set(read_section(loader, "credentials", missing={}) or {})
    except ConfigError:
        return ()


def _told_if_it_fails(call: StepCall, executor: Executor, project: OpenProject) -> AbstractContextManager[None]:
    """What fails before the step joins the MLflow run must be told there too."""
    if not call.tracking:
        return nullcontext()
    from kedro_kubeflow.runtime.tracked import told_if_it_fails

    return told_if_it_fails(call, executor, project)


@contextmanager
def _inside_run(call: StepCall, executor: Executor, session: Any, watch: Watch) -> Iterator[None]:
    """The step's part of the pipeline's MLflow run, where there is one; in either case the executor output is written."""
    if not call.tracking:
        yield
        executor.write()
        return
    from kedro_kubeflow.runtime.tracked import tracked_step

    with tracked_step(call, executor, session, watch):
        yield


@contextmanager
def _step_errors(call: StepCall, watch: Watch) -> Iterator[None]:
    """Turn what a node or a dataset raises into an error that names it."""
    try:
        with NoWayOut(lambda: watch.place.node):
            yield
    except (KedroKubeflowError, KeyboardInterrupt, Terminated):
        raise
    except SystemExit as error:
        # Let through, it would end the process with a code of its own choice: with 0, a step without its outputs.
        raise StepError(
            f"Code of the step has called {call_of(error)}, which would end its process before its results are stored",
            where=f"node {watch.place.node!r}" if watch.place.node else None,
            cure="let the node return or raise an exception",
        ) from error
    except BaseException as error:
        explained = _explained(error, call, watch)
        lacking = missing_package(error, where=explained.where) if call.code else None
        raise lacking or explained from error


def _explained(error: BaseException, call: StepCall, watch: Watch) -> StepError:
    line = described(error)
    place = watch.place_of(error)
    where = f"node {place.node!r}" if place.node else None
    if hook := _hook_in(error):
        of = f" of {place.saving or place.loading!r}" if place.saving or place.loading else ""
        at = (own_line(error) or last_line(error) or "").removeprefix(f"{Path.cwd()}{os.sep}")
        return StepError(f"The hook {hook}{of} failed: {line}", where=", ".join(filter(None, (where, at))) or None)
    in_memory = {c.dataset for c in call.outputs if c.how == "memory" and c.required}
    if is_disk_full(error):
        what = f"The disk is full while saving {place.saving!r}" if place.saving else "The disk is full"
        return StepError(f"{what}: {line}", where=where, cure="give the step more ephemeral storage, or free some")
    if place.saving and place.saving.split("@")[0] in in_memory:
        return StepError(
            f"The dataset {place.saving!r} is in memory only and cannot be stored for the steps that read it: {line}",
            where=where,
            cure="declare it in the catalog with a dataset that can hold it, let the nodes that share it run in one "
            "step, or choose another run_config.memory_dataset",
        )
    if place.saving:
        return StepError(f"Saving the dataset {place.saving!r} failed: {line}", where=where)
    if place.loading:
        return StepError(f"Loading the dataset {place.loading!r} failed: {line}", where=where)
    at = (own_line(error) or "").removeprefix(f"{Path.cwd()}{os.sep}")
    where = ", ".join(filter(None, (where, at))) or None
    return StepError(f"{'The node' if place.node else 'The step'} failed: {line}", where=where)


def _hook_in(error: BaseException) -> str | None:
    """The hook, of the project or of a plugin, that has raised an error; None where none has.

    A hook is called by Kedro through pluggy; what a node or a dataset calls through it is none.
    """
    frames = [(Path(frame.filename).parent, frame.name) for frame in traceback.extract_tb(error.__traceback__)]
    kedros = Path(kedro.__file__).parent
    caller: Path | None = None
    found = None
    for (before, _), (folder, name) in pairwise(frames):
        if folder.name == "pluggy":
            caller = caller if before.name == "pluggy" else before
        elif before.name == "pluggy":
            found = name if caller and caller.is_relative_to(kedros) else None
    return found
