"""Upload: a compiled pipeline becomes a pipeline, a new version of one, or nothing where it is there already.

Names are unique on the server, of pipelines in a namespace and of versions in a pipeline. That makes it safe to send an
upload again whose fate is unknown: a second copy is refused. Versions are named by the digest of their spec, so that two
who upload the same at once make one version.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from kedro_kubeflow.errors import ServerError
from kedro_kubeflow.targets.base.pipeline import Pipeline
from kedro_kubeflow.targets.kubeflow import facts
from kedro_kubeflow.targets.kubeflow.fate import FOREIGN, Fate, fate_of, grpc_body, is_conflict
from kedro_kubeflow.targets.kubeflow.package import Package
from kedro_kubeflow.targets.kubeflow.pipelines import Pipelines, PipelineVersion, pipeline_of, version_of
from kedro_kubeflow.targets.kubeflow.refused_upload import explained
from kedro_kubeflow.targets.kubeflow.server import Server

log = logging.getLogger(__name__)

TRIES = 4
DIGEST = 32
"""How much of the digest is kept: a tag's value has at most 63 characters."""
MOST_TAGS, LONGEST_TAG = 20, 63


@dataclass(frozen=True)
class Uploaded:
    """What an upload did."""

    pipeline: Pipeline
    version: PipelineVersion
    made: Literal["pipeline", "version", "nothing"]


@dataclass(frozen=True)
class Uploads:
    """Uploads to one server."""

    server: Server

    @property
    def pipelines(self) -> Pipelines:
        """What is there."""
        return Pipelines(self.server)

    def upload(self, package: Package, *, force: bool = False) -> Uploaded:
        """Upload a compiled pipeline.

        Args:
            force: make a new version even if the newest one has the same spec.

        Raises:
            AuthError, ServerError: nothing was made, or it says what was.
        """
        with self.server.errors(f"upload the pipeline {package.name!r}"), explained(self.server):
            pipeline = self.pipelines.find(package.name)
            if pipeline is None:
                made = self._make_pipeline(package)
                if made:
                    return made
                pipeline = self.pipelines.get(package.name)
            same = None if force else self._same(pipeline, package)
            return Uploaded(pipeline, same, "nothing") if same else self._make_version(pipeline, package, force=force)

    def _make_pipeline(self, package: Package) -> Uploaded | None:
        """A new pipeline with its first version, in one request; None if somebody else was faster."""
        for attempt in range(TRIES):
            try:
                pipeline = pipeline_of(self._send_pipeline(package))
            except FOREIGN as error:
                if is_conflict(error) and self.pipelines.find(package.name):
                    # With an unknown fate behind us it may be our own.
                    return self._first(package) if attempt else None
                if fate_of(error) is not Fate.UNKNOWN or attempt == TRIES - 1:
                    raise
                log.warning("The upload was interrupted; looking for what became of it")
                if self.pipelines.find(package.name):
                    return self._first(package)
                self.server.pause(attempt)
            else:
                return self._labelled(pipeline, self._only_version(pipeline), package)
        raise AssertionError("the last try either returns or raises")

    def _first(self, package: Package) -> Uploaded | None:
        """The pipeline that our own interrupted request made, if it has a version of our spec."""
        pipeline = self.pipelines.get(package.name)
        version = self._same(pipeline, package)
        return self._labelled(pipeline, version, package) if version else None

    def _make_version(self, pipeline: Pipeline, package: Package, *, force: bool) -> Uploaded:
        name, unsure = package.digest[:12], False
        for attempt in range(TRIES):
            try:
                return Uploaded(pipeline, version_of(self._send_version(pipeline, name, package)), "version")
            except FOREIGN as error:
                conflict = is_conflict(error)
                if not conflict and (fate_of(error) is not Fate.UNKNOWN or attempt == TRIES - 1):
                    raise
                there = self._named(pipeline, name)
                if there and (unsure or not conflict):
                    return Uploaded(pipeline, there, "version")
                same = None if force or not conflict else self._same(pipeline, package)
                if same:
                    return Uploaded(pipeline, same, "nothing")
                unsure = not conflict
                name = self._free_name(pipeline, package) if conflict else name
                self.server.pause(attempt)
        raise ServerError(
            f"Could not upload the pipeline {package.name!r}: others keep uploading it at the same time",
            where=self.server.address.host,
            cure="try again",
        )

    def _same(self, pipeline: Pipeline, package: Package) -> PipelineVersion | None:
        """The newest version, if it has this very spec."""
        newest = self.pipelines.newest(pipeline.id)
        return next((v for v in newest if v.digest == package.digest[:DIGEST]), None)

    def _named(self, pipeline: Pipeline, name: str) -> PipelineVersion | None:
        return next((v for v in self.pipelines.versions(pipeline.id) if v.name == name), None)

    def _free_name(self, pipeline: Pipeline, package: Package) -> str:
        """A spec that was there before, but is not the newest, comes again under a counted name."""
        taken = {v.name for v in self.pipelines.versions(pipeline.id)}
        base = package.digest[:12]
        return next(name for n in range(2, len(taken) + 3) if (name := f"{base}-{n}") not in taken)

    def _only_version(self, pipeline: Pipeline) -> PipelineVersion:
        """The version that was made along with a pipeline; the answer to an upload does not say it."""
        newest = self.pipelines.newest(pipeline.id)
        if not newest:
            raise ServerError(
                f"The server made the pipeline {pipeline.name!r}, but no version of it",
                where=self.server.address.pipeline_link(pipeline.id),
                cure="upload it again; if that does not help, delete the pipeline there first",
            )
        return newest[0]

    def _labelled(self, pipeline: Pipeline, version: PipelineVersion, package: Package) -> Uploaded:
        """An upload of a new pipeline gives its tags to the pipeline alone; the first version gets them here."""
        body = {"display_name": _title(package, package.digest[:12]), "tags": _tags(package)}
        try:
            answer = self.server.pipelines.pipeline_service_update_pipeline_version(pipeline.id, version.id, body)
            return Uploaded(pipeline, version_of(answer), "pipeline")
        except FOREIGN as error:
            # Servers before 2.16 cannot; the description says the same.
            log.debug("The first version has no tags: %s", grpc_body(error) if hasattr(error, "body") else error)
            return Uploaded(pipeline, version, "pipeline")

    def _send_pipeline(self, package: Package) -> Any:
        query: dict[str, Any] = {"name": package.name, "namespace": self.server.pipelines_namespace, **_labels(package)}
        with _file(package) as path:
            return self.server.uploads.upload_pipeline(path, **_given(query))

    def _send_version(self, pipeline: Pipeline, name: str, package: Package) -> Any:
        labels = {**_labels(package), "display_name": _title(package, name)}
        with _file(package) as path:
            return self.server.uploads.upload_pipeline_version(
                path, pipelineid=pipeline.id, name=name, **_given(labels)
            )


def _title(package: Package, name: str) -> str:
    """What people see of a version: the commit that it was made from, where that is known."""
    commit = package.tags.get("git_commit", "")[:8]
    return f"{commit} ({name})" if commit else name


def _labels(package: Package) -> dict[str, Any]:
    tags = _tags(package)
    known = {key: value for key, value in package.tags.items() if key != facts.SPEC}
    description = facts.describe(package.description, {**known, facts.SPEC: package.digest[:DIGEST]})
    return {"display_name": package.display_name, "description": description, "tags": json.dumps(tags)}


def _tags(package: Package) -> dict[str, str]:
    """Tags as the server takes them: few, short, and no dot in a key."""
    kept = list(package.tags.items())[: MOST_TAGS - 1]
    tags = {key.replace(".", "_")[:LONGEST_TAG]: value[:LONGEST_TAG] for key, value in kept if key and value}
    return {**tags, "spec_digest": package.digest[:DIGEST]}


def _given(query: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in query.items() if value is not None}


@contextmanager
def _file(package: Package) -> Iterator[str]:
    """The YAML in a file: the generated client reads uploads from a path, and the server goes by the file's ending."""
    with tempfile.TemporaryDirectory(prefix="kedro-kubeflow-") as folder:
        path = Path(folder) / f"{package.name}.yaml"
        path.write_text(str(package), "utf-8")
        yield str(path)
