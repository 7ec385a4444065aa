"""Where the artifacts of a run lie: the steps say it in MLflow, KFP's launchers in ML Metadata, and the steps' logs at last."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kedro_kubeflow.errors import KedroKubeflowError
from kedro_kubeflow.results.artifact import Place, RunArtifact
from kedro_kubeflow.results.spec import artifacts_of
from kedro_kubeflow.targets.base.mlflow_here import mlflow_address, mlflow_from_here
from kedro_kubeflow.targets.base.spec import in_order
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN
from kedro_kubeflow.targets.kubeflow.metadata_store import MetadataStore, NoMetadata

if TYPE_CHECKING:
    from kedro_kubeflow.targets.base.target import Target
    from kedro_kubeflow.targets.kubeflow.kubeflow import KubeflowClient

_log = logging.getLogger(__name__)


def located(client: KubeflowClient, target: Target, run_id: str) -> list[RunArtifact]:
    """The artifacts that a run's pipeline promises, and where each lies, as far as anybody tells it.

    Raises:
        AuthError, ServerError: the server does not give the run.
    """
    spec = client.runs.spec(run_id)
    steps = {artifact.dataset: artifact.step for artifact in artifacts_of(spec)}
    found = client.artifacts.located(
        spec,
        _told_in_mlflow(target, run_id, steps),
        recorded=lambda: _recorded(client, run_id),
        logs=lambda: _logs(client, run_id),
    )
    return in_order(spec, found)


def _told_in_mlflow(target: Target, run_id: str, steps: Mapping[str, str]) -> dict[str, Place]:
    from kedro_kubeflow.tracking.results import artifact_places

    if mlflow_address(target.project, target.config) is None:
        return {}
    try:
        with mlflow_from_here(target.project, target.config) as mlflow:
            return {name: Place(*told) for name, told in artifact_places(mlflow, run_id, steps).items()}
    except Exception as error:
        # There are others to ask; what hooks and MLflow raise is no reason to tell nothing.
        _log.info("MLflow is not asked where artifacts lie: %s", " ".join(str(error).split())[:200])
        return {}


def _recorded(client: KubeflowClient, run_id: str) -> list[str]:
    server = client.server
    try:
        return MetadataStore(server.connection, server.address.ui_host).artifacts(run_id)
    except (NoMetadata, KedroKubeflowError, *FOREIGN) as error:
        _log.info("Kubeflow's record is not asked where artifacts lie: %s", " ".join(str(error).split())[:200])
        return []


def _logs(client: KubeflowClient, run_id: str) -> Iterator[str]:
    run = client.runs.get(run_id)
    for step in run.steps:
        try:
            yield client.logs.of(run, step)
        except KedroKubeflowError:
            # A step without a log tells nothing.
            continue
