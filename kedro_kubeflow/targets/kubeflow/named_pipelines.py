"""The server's pipelines, and one version of one of them."""

from __future__ import annotations

from kedro_kubeflow.errors import ServerError, did_you_mean
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.pipelines import Pipeline, PipelineVersion

LATEST = "latest"


def list_pipelines(client: KubeflowClient) -> list[Pipeline]:
    """All of the namespace, the newest first.

    Raises:
        AuthError, ServerError
    """
    return list(client.pipelines.list())


def list_versions(client: KubeflowClient, pipeline: str) -> list[PipelineVersion]:
    """All versions of a pipeline, the newest first.

    Raises:
        AuthError, ServerError: among others, there is no such pipeline.
    """
    return list(client.pipelines.versions(client.pipelines.get(pipeline).id))


def find_version(client: KubeflowClient, pipeline: str, version: str = LATEST) -> PipelineVersion:
    """A version of a pipeline, with its spec.

    Args:
        pipeline: the pipeline's name on the server.
        version: an id, a name, or ``latest``.

    Raises:
        ServerError: there is none.
    """
    found = client.pipelines.get(pipeline)
    if version == LATEST:
        chosen = next(iter(client.pipelines.newest(found.id)), None)
    else:
        chosen = next((v for v in client.pipelines.versions(found.id) if version in (v.id, v.name)), None)
    if chosen is None:
        known = [v.name for v in client.pipelines.versions(found.id)]
        raise ServerError(
            f"The pipeline {pipeline!r} has no version {version!r}. {did_you_mean(version, known)}",
            where=client.address.pipeline_link(found.id),
            cure=f"`kedro kubeflow list-pipelines --versions-of {pipeline}` shows them all; `latest` is the newest"
            if known
            else "upload one with `kedro kubeflow upload-pipeline`",
        )
    # A list may leave the spec out.
    return chosen if chosen.spec else client.pipelines.version(found.id, chosen.id)
