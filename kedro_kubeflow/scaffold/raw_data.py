"""The local files of a project that the catalog names and no node makes."""

from __future__ import annotations

from pathlib import Path

from kedro_kubeflow.entries import local_path
from kedro_kubeflow.project.catalog import read_catalog
from kedro_kubeflow.project.opening import OpenProject, registered_pipelines


def raw_data_of(project: OpenProject) -> list[str]:
    """Their paths, relative to the project, sorted; those outside of it are nobody's to put into an image."""
    nodes = [node for pipeline in registered_pipelines(project).values() for node in pipeline.nodes]
    made = {name.split("@")[0] for node in nodes for name in node.outputs}
    read = {name for node in nodes for name in node.inputs if name != "parameters" and not name.startswith("params:")}
    raw = [name for name in sorted(read) if name.split("@")[0] not in made]
    entries = read_catalog(project.config_loader()).of(raw)
    paths = {path for name in raw if (entry := entries[name]) and (path := local_path(entry))}
    return sorted(path for path in paths if not Path(path).is_absolute() and ".." not in Path(path).parts)
