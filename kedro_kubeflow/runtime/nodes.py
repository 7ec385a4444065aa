"""The step's nodes, found in the project's registered pipelines as Kedro's session will find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kedro_kubeflow.contract import StepCall
from kedro_kubeflow.errors import ProjectError
from kedro_kubeflow.project.imports import ImportFailure, import_failures, noting_import_failures
from kedro_kubeflow.project.opening import OpenProject, find_pipeline, import_errors, registered_pipelines
from kedro_kubeflow.runtime.missing import cure


def step_nodes(project: OpenProject, call: StepCall) -> list[Any]:
    """The step's nodes; the session that follows takes them from the very same pipelines.

    Kedro 1.5 and later import only the modules of the named pipelines. A pipeline that is put together in
    ``register_pipelines`` has none of its own, so then all are imported.

    Raises:
        ProjectError: the project does not import, or lacks a pipeline or a node.
    """
    from kedro.framework.project import pipelines

    names = call.pipeline_names
    requested = getattr(pipelines, "set_requested", None)
    nodes: list[Any] = []
    if requested and "__default__" not in names:
        requested(list(names))
        try:
            with noting_import_failures():
                nodes = _named_nodes([pipelines[name] for name in names], call)
        except Exception:
            # Not there on its own, or not whole: the full registry says which, in words of its own.
            requested(None)
    if not nodes:
        registered = registered_pipelines(project)
        with import_errors(str(project.path)):
            nodes = _named_nodes([find_pipeline(name, registered) for name in _found(names, registered)], call)
    _settle(pipelines, names, call)
    return nodes


def _found(names: Sequence[str], registered: Mapping[str, Any]) -> Sequence[str]:
    """The names, but those whose module does not import: their nodes are missed in words of their own."""
    return [name for name in names if name in registered] if import_failures() else names


def _named_nodes(found: Sequence[Any], call: StepCall) -> list[Any]:
    by_name = {node.name: node for pipeline in found for node in pipeline.nodes}
    missing = [name for name in call.nodes if name not in by_name]
    if missing and (failed := import_failures()):
        raise ProjectError(
            f"The pipeline {call.pipeline!r} has no node {missing[0]!r} here, as not all of the project imports: "
            + "; ".join(f"{one.module}: {one.reason}" for one in failed),
            where=next((one.where for one in failed if one.where), None),
            cure=_cure(failed[0], call),
        )
    if missing:
        raise ProjectError(
            f"The pipeline {call.pipeline!r} in this image has no node {missing[0]!r}",
            cure="build the image from the code that the pipeline was compiled from",
        )
    return [by_name[name] for name in call.nodes]


def _cure(failed: ImportFailure, call: StepCall) -> str:
    if not call.code:
        return "install in the image what is missing, or mend it there"
    if not failed.reason.startswith("ModuleNotFoundError"):
        return "mend the code of the working folder that the run was started from"
    return cure()


def _settle(pipelines: Any, names: Sequence[str], call: StepCall) -> None:
    """Let the session run what was found: it would ask for the named modules again, and miss composed pipelines."""
    from kedro.pipeline import Pipeline

    if hasattr(pipelines, "set_requested"):
        pipelines.set_requested = lambda _names: None
    for name in names:
        found = pipelines[name]
        # Pipelines of a class of their own, such as kedro-mlflow's PipelineML, may refuse to be run in part.
        if type(found) is not Pipeline and not _whole(found, call):
            pipelines[name] = Pipeline(found.nodes)


def _whole(pipeline: Any, call: StepCall) -> bool:
    return {node.name for node in pipeline.nodes} <= set(call.nodes)
