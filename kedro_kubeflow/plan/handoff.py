"""How each dataset travels from the step that writes it to the steps that read it.

Decided from the catalog's *configuration* alone: no dataset is instantiated, so compiling needs neither the dataset's
library nor its credentials. The dataset types are Kedro's (https://docs.kedro.org/projects/kedro-datasets/), the artifact
types KFP's (https://www.kubeflow.org/docs/components/pipelines/user-guides/data-handling/artifacts/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from kedro_kubeflow.entries import address, is_in_memory, local_path, on_volume, path_holder, unknown_place
from kedro_kubeflow.errors import CompileError, did_you_mean

ArtifactType = Literal["Artifact", "Dataset", "Model", "Metrics", "HTML", "Markdown"]
ARTIFACT_TYPES: tuple[ArtifactType, ...] = ("Artifact", "Dataset", "Model", "Metrics", "HTML", "Markdown")

# The two that the UIs show in place are single files; the others are folders that hold the data under its own name, so
# that extensions survive.
SINGLE_FILE: frozenset[str] = frozenset({"HTML", "Markdown"})

_MODEL = re.compile(r".*(Model\w*Dataset|ModelDataset|PyTorchDataset)$")
_METRICS = re.compile(r".*Metric(s|sHistory|History)?Dataset$|.*tracking\.MetricsDataset$")
_PLOT = re.compile(r"(.*\.)?(plotly\.(PlotlyDataset|JSONDataset)|matplotlib\.Matplotlib(Dataset|Writer))$")
# Logs the file to MLflow under the name that it has on disk, which a single-file artifact would take from it.
_UPLOADS = re.compile(r"(.*\.)?MlflowArtifactDataset$")
_TRACKED_MODEL = re.compile(r"(.*\.)?MlflowModelTrackingDataset$")
_OUR_KEYS = ("artifact_type", "path_key", "remote")
_SUFFIX_TYPES: dict[str, ArtifactType] = {".html": "HTML", ".htm": "HTML", ".md": "Markdown"}


@dataclass(frozen=True)
class Handoff:
    """What the catalog says of one dataset.

    Attributes:
        kind: ``memory``: it lives in the process and is serialised to cross; ``file``: it lives at a local path, which is
            pointed at the artifact; ``volume``: it lives at a local path on the run's volume, where every step finds it;
            ``external``: it lives elsewhere (object store, database, tracking server) and every step reaches it by itself.
        artifact_type: how the UIs see it.
        filename: the last part of its local path; empty for other kinds.
        path: the path as configured, for messages.
        versioned: whether Kedro keeps versions of it, which makes its path a folder.
        plot: whether a picture of it can be shown.
        stored: for ``volume``: whether a copy is stored as an artifact.
        model: for ``external``: whether it is a model in MLflow, which its writer alone can say the place of.
        address: for ``external``: the same where two names mean the same data; empty where that is not known.
        doubt: for ``external``: keys that may be a local path, so that it may be none.
    """

    kind: Literal["memory", "file", "volume", "external"]
    artifact_type: ArtifactType = "Dataset"
    filename: str = ""
    path: str = ""
    versioned: bool = False
    plot: bool = False
    stored: bool = True
    model: bool = False
    address: str = ""
    doubt: str = ""


def handoff(
    dataset: str, config: Mapping[str, Any] | None, *, volume: str | None = None, stored: bool = True
) -> Handoff:
    """Decide for one dataset.

    Args:
        dataset: its name, for errors.
        config: its catalog entry with factories resolved; None where the catalog has none.
        volume: the project's folder that stands on the run's volume; None where there is no volume.
        stored: whether what steps write there is stored as artifacts too.

    Raises:
        CompileError: the entry's ``metadata`` names an artifact type that KFP does not have, or says what nobody reads.
    """
    if config is None or is_in_memory(config):
        return Handoff("memory", _named_type(dataset, config) or "Dataset")
    path, versioned = local_path(config), _is_versioned(config)
    named = _named_type(dataset, config)
    artifact_type = named or _type_by_class(config)
    if path is None:
        model, doubt = _is_placed_by_mlflow(config), unknown_place(config) or ""
        return Handoff("external", artifact_type, model=model, address=address(config), doubt=doubt)
    if config.get("run_id") and _UPLOADS.match(str(config.get("type", ""))):
        return Handoff("external", artifact_type)  # Its data is read from that MLflow run.
    name = PurePosixPath(path.replace("\\", "/")).name
    shown_as = _SUFFIX_TYPES.get(PurePosixPath(name).suffix.lower())
    uploaded = bool(_UPLOADS.match(str(config.get("type", ""))))
    if not named and artifact_type == "Dataset" and not versioned and not uploaded and shown_as:
        artifact_type = shown_as
    if versioned and artifact_type in SINGLE_FILE:
        artifact_type = "Artifact"
    plot = bool(_PLOT.match(_inner_type(config))) or (uploaded and not named and shown_as == "HTML")
    shared = volume is not None and on_volume(path, volume) is not None
    if shared:
        return Handoff("volume", artifact_type, name, path, versioned, plot and stored, stored)
    return Handoff("file", artifact_type, name, path, versioned, plot)


def plain_filename(dataset: str, filename: str) -> str:
    """A file's name that says the dataset and the kind of file, and nothing else of the name that it has.

    >>> plain_filename("reports@text", "2026-01-01.html")
    'reports.html'
    """
    suffix = PurePosixPath(filename).suffix
    return re.sub(r"[^\w.-]", "_", dataset.split("@", 1)[0]) + (suffix if re.fullmatch(r"\.\w{1,8}", suffix) else "")


def _is_placed_by_mlflow(config: Mapping[str, Any]) -> bool:
    return bool(_TRACKED_MODEL.match(str(config.get("type", "")))) and "model_uri" not in (
        config.get("load_args") or {}
    )


def _is_versioned(config: Mapping[str, Any]) -> bool:
    return bool(config.get("versioned") or path_holder(config).get("versioned"))


def _inner_type(config: Mapping[str, Any]) -> str:
    return str(path_holder(config).get("type", ""))


def _type_by_class(config: Mapping[str, Any]) -> ArtifactType:
    for name in (_inner_type(config), str(config.get("type", ""))):
        if _METRICS.match(name):
            return "Metrics"
        if _MODEL.match(name):
            return "Model"
    return "Dataset"


def _named_type(dataset: str, config: Mapping[str, Any] | None) -> ArtifactType | None:
    """``metadata: {kubeflow: {artifact_type: Model}}`` in the catalog."""
    metadata = (config or {}).get("metadata")
    ours = metadata.get("kubeflow") if isinstance(metadata, Mapping) else None
    for key in ours if isinstance(ours, Mapping) else ():
        if key not in _OUR_KEYS:
            raise CompileError(
                f"There is no key {key!r} of `kubeflow` in the metadata of a dataset. {did_you_mean(str(key), _OUR_KEYS)}",
                where=f"catalog, dataset {dataset!r}, metadata.kubeflow",
            )
    name = ours.get("artifact_type") if isinstance(ours, Mapping) else ours
    if name is None:
        return None
    for known in ARTIFACT_TYPES:
        if str(name).lower() == known.lower():
            return known
    raise CompileError(
        f"{name!r} is no artifact type of Kubeflow Pipelines. {did_you_mean(str(name), ARTIFACT_TYPES)}",
        where=f"catalog, dataset {dataset!r}, metadata.kubeflow.artifact_type",
    )
