"""Upload a compiled pipeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from kedro_kubeflow.prepared import Prepared
from kedro_kubeflow.targets.git_commit import git_commit
from kedro_kubeflow.targets.kubeflow import KubeflowClient
from kedro_kubeflow.targets.kubeflow.package import Package
from kedro_kubeflow.targets.kubeflow.pipelines import Pipeline, PipelineVersion


@dataclass(frozen=True)
class UploadResult:
    """What an upload did, and the link that opens it."""

    pipeline: Pipeline
    version: PipelineVersion
    made: Literal["pipeline", "version", "nothing"]
    link: str


def upload(client: KubeflowClient, package: Package, *, force: bool = False) -> UploadResult:
    """Make the pipeline, or a new version of it, or nothing where the newest version has this very spec.

    Args:
        force: make a new version all the same.

    Raises:
        AuthError, ServerError
    """
    done = client.uploads.upload(package, force=force)
    link = client.address.pipeline_link(done.pipeline.id, done.version.id)
    return UploadResult(done.pipeline, done.version, done.made, link)


def with_commit(prepared: Prepared) -> Package:
    """A project's compiled pipeline, its git commit among its tags; the spec stays byte for byte what it was."""
    commit = git_commit(prepared.project.path)
    compiled = prepared.compiled
    return replace(compiled, tags={**compiled.tags, "git_commit": commit}) if commit else compiled
