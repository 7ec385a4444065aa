"""Pipelines and their versions, as the server has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kedro_kubeflow.errors import ServerError, did_you_mean
from kedro_kubeflow.targets.base.pipeline import Pipeline, Version
from kedro_kubeflow.targets.kubeflow import facts
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN, is_missing
from kedro_kubeflow.targets.kubeflow.server import Server, equals, every

LATEST = "latest"


@dataclass(frozen=True, kw_only=True)
class PipelineVersion(Version):
    """A version of a pipeline.

    Attributes:
        digest: the beginning of its spec's SHA-256, where it is one of ours.
        spec: the IR, with the platform half beside it where there is one.
    """

    spec: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def digest(self) -> str | None:
        """The beginning of the SHA-256 of the YAML that it was made of, if this package made it."""
        return facts.fact(self.description, facts.SPEC)


@dataclass(frozen=True)
class Pipelines:
    """The server's pipelines."""

    server: Server

    def list(self) -> Iterator[Pipeline]:
        """All pipelines of the namespace, the newest first.

        Raises:
            AuthError, ServerError
        """
        with self.server.errors("list the pipelines"):
            call = self.server.pipelines.pipeline_service_list_pipelines
            for entry in every(call, "pipelines", sort_by="created_at desc", namespace=self.server.pipelines_namespace):
                yield pipeline_of(entry)

    def find(self, name: str) -> Pipeline | None:
        """The pipeline of a name, or None."""
        with self.server.errors(f"look for the pipeline {name!r}"):
            return self._find(name)

    def get(self, name: str) -> Pipeline:
        """The pipeline of a name.

        Raises:
            ServerError: there is none.
        """
        pipeline = self.find(name)
        if pipeline is None:
            raise ServerError(
                f"There is no pipeline {name!r} on the server",
                where=self.server.address.host,
                cure="upload it first: kedro kubeflow upload-pipeline",
            )
        return pipeline

    def versions(self, pipeline_id: str) -> Iterator[PipelineVersion]:
        """All versions of a pipeline, the newest first."""
        with self.server.errors("list the versions of the pipeline"):
            call = self.server.pipelines.pipeline_service_list_pipeline_versions
            for entry in every(call, "pipeline_versions", pipeline_id, sort_by="created_at desc"):
                yield version_of(entry)

    def newest(self, pipeline_id: str) -> tuple[PipelineVersion, ...]:
        """The newest version. It may be several: the server counts in whole seconds."""
        newest: list[PipelineVersion] = []
        for version in self.versions(pipeline_id):
            if newest and version.created_at != newest[0].created_at:
                break
            newest.append(version)
        return tuple(newest)

    def version(self, pipeline_id: str, version_id: str) -> PipelineVersion:
        """A version with its spec."""
        with self.server.errors(f"get the version {version_id!r} of the pipeline"):
            return version_of(self.server.pipelines.pipeline_service_get_pipeline_version(pipeline_id, version_id))

    def find_version(self, pipeline: str, version: str = LATEST) -> PipelineVersion:
        """A version of a pipeline, with its spec.

        Args:
            pipeline: the pipeline's name on the server.
            version: an id, a name, or ``latest``.

        Raises:
            ServerError: there is none.
        """
        found = self.get(pipeline)
        if version == LATEST:
            chosen = next(iter(self.newest(found.id)), None)
        else:
            chosen = next((v for v in self.versions(found.id) if version in (v.id, v.name)), None)
        if chosen is None:
            known = [v.name for v in self.versions(found.id)]
            raise ServerError(
                f"The pipeline {pipeline!r} has no version {version!r}. {did_you_mean(version, known)}",
                where=self.server.address.pipeline_link(found.id),
                cure=f"`kedro kubeflow list-pipelines --versions-of {pipeline}` shows them all; `latest` is the newest"
                if known
                else "upload one with `kedro kubeflow upload-pipeline`",
            )
        # A list may leave the spec out.
        return chosen if chosen.spec else self.version(found.id, chosen.id)

    def _find(self, name: str) -> Pipeline | None:
        if self.server.shares_pipelines:
            return self._find_shared(name)
        query = {"namespace": self.server.namespace} if self.server.namespace else {}
        try:
            return pipeline_of(self.server.pipelines.pipeline_service_get_pipeline_by_name(name, **query))
        except FOREIGN as error:
            if is_missing(error):
                return None
            raise

    def _find_shared(self, name: str) -> Pipeline | None:
        """Without a namespace, a look-up by name would give the first pipeline of that name out of any namespace."""
        call = self.server.pipelines.pipeline_service_list_pipelines
        found = (pipeline_of(entry) for entry in every(call, "pipelines", filter=equals("name", name)))
        return next((pipeline for pipeline in found if pipeline.name == name and not pipeline.namespace), None)


def pipeline_of(entry: Any) -> Pipeline:
    """Our value of the generated client's."""
    return Pipeline(
        id=entry.pipeline_id,
        # Servers before 2.15 have only a display name.
        name=getattr(entry, "name", None) or entry.display_name,
        display_name=entry.display_name or entry.name,
        description=entry.description or "",
        created_at=entry.created_at,
        namespace=entry.namespace,
        tags=dict(getattr(entry, "tags", None) or {}),
    )


def version_of(entry: Any) -> PipelineVersion:
    """Our value of the generated client's."""
    return PipelineVersion(
        id=entry.pipeline_version_id,
        pipeline_id=entry.pipeline_id,
        name=getattr(entry, "name", None) or entry.display_name,
        display_name=entry.display_name or entry.name,
        description=entry.description or "",
        created_at=entry.created_at,
        tags=dict(getattr(entry, "tags", None) or {}),
        spec=entry.pipeline_spec or {},
    )
