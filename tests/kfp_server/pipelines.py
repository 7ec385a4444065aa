"""Pipelines and their versions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from kfp_server.listing import page
from kfp_server.refusal import Refusal, invalid, not_found
from kfp_server.world import SUBDOMAIN, World, check_length, check_tags, found

PIPELINE_FIELDS = ("id", "pipeline_id", "name", "display_name", "created_at", "description", "namespace")
VERSION_FIELDS = ("id", "pipeline_version_id", "name", "display_name", "created_at", "description")

Query = Mapping[str, str]


@dataclass
class Pipelines:
    """The pipeline store."""

    world: World
    pipelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def list(self, query: Query) -> dict[str, Any]:
        namespace = self.world.authorize(query.get("namespace", ""), shared=True)
        mine = [p for p in self.pipelines.values() if p.get("namespace", "") == namespace]
        entries, total, token = page(mine, query, fields=PIPELINE_FIELDS, key="pipeline_id")
        return {"pipelines": entries, "total_size": total, "next_page_token": token}

    def get(self, pipeline_id: str) -> dict[str, Any]:
        return found(
            self.pipelines, "Pipeline", pipeline_id,
            "Failed to get a pipeline {key}. Check error stack: Failed to get a pipeline with id {key}",
        )  # fmt: skip

    def by_name(self, name: str, query: Query) -> dict[str, Any]:
        namespace = self.world.authorize(query.get("namespace", ""), shared=True)
        for pipeline in self.pipelines.values():
            if pipeline["name"] == name and pipeline.get("namespace", "") == namespace:
                return pipeline
        way = f"Failed to get a pipeline with name {name} and namespace {namespace}. Check error stack."
        way += f": Failed to get a pipeline named {name} in namespace {namespace}"
        raise not_found("Namespace/Pipeline", f"{namespace}/{name}", way)

    def upload(self, query: Query, filename: str, content: bytes) -> dict[str, Any]:
        """A pipeline and its first version, at once. Tags go to the pipeline only, as on the real server."""
        spec = self._read(filename, content)
        namespace = self.world.authorize(query.get("namespace", ""), shared=True)
        name = query.get("name") or query.get("display_name") or filename
        pipeline = self._new_pipeline(name, query, namespace)
        self._store(self._new_version(pipeline, name, {**query, "tags": ""}, spec), pipeline)
        return pipeline

    def upload_version(self, query: Query, filename: str, content: bytes) -> dict[str, Any]:
        spec = self._read(filename, content)
        if query.get("pipelineid", "") not in self.pipelines:
            raise invalid("Failed to create a pipeline version")
        pipeline = self.pipelines[query["pipelineid"]]
        name = query.get("name") or query.get("display_name") or filename
        return self._store(self._new_version(pipeline, name, query, spec))

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A pipeline without a version."""
        namespace = self.world.authorize(body.get("namespace", ""), shared=True)
        query = {k: str(v) for k, v in body.items() if k in ("display_name", "description")}
        pipeline = self._new_pipeline(body.get("name") or body.get("display_name", ""), query, namespace)
        self.pipelines[pipeline["pipeline_id"]] = pipeline
        return pipeline

    def list_versions(self, pipeline_id: str, query: Query) -> dict[str, Any]:
        self.get(pipeline_id)
        mine = [v for v in self.versions.values() if v["pipeline_id"] == pipeline_id]
        entries, total, token = page(mine, query, fields=VERSION_FIELDS, key="pipeline_version_id")
        return {"pipeline_versions": entries, "total_size": total, "next_page_token": token}

    def get_version(self, pipeline_id: str, version_id: str) -> dict[str, Any]:
        version = found(
            self.versions, "PipelineVersion", version_id,
            "Failed to get a pipeline version {key}: Failed to get a pipeline version with id {key}",
        )  # fmt: skip
        if version["pipeline_id"] != pipeline_id:
            raise not_found("PipelineVersion", version_id)
        return version

    def update_version(self, pipeline_id: str, version_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if not self.world.options.tags:
            raise Refusal("NOT_FOUND", "Not Found")
        version = self.get_version(pipeline_id, version_id)
        check_tags(body.get("tags", {}))
        version.update({k: body[k] for k in ("display_name", "tags") if body.get(k)})
        return version

    def delete(self, pipeline_id: str, query: Query) -> dict[str, Any]:
        self.get(pipeline_id)
        mine = [k for k, v in self.versions.items() if v["pipeline_id"] == pipeline_id]
        if mine and query.get("cascade", "").lower() != "true":
            raise invalid(f"Failed to delete pipeline with id {pipeline_id} as it has existing pipeline versions")
        for key in mine:
            del self.versions[key]
        del self.pipelines[pipeline_id]
        return {}

    def delete_version(self, pipeline_id: str, version_id: str) -> dict[str, Any]:
        self.get_version(pipeline_id, version_id)
        del self.versions[version_id]
        return {}

    def newest(self, pipeline_id: str) -> dict[str, Any]:
        """The default version of a pipeline: always the newest."""
        self.get(pipeline_id)
        mine = [v for v in self.versions.values() if v["pipeline_id"] == pipeline_id]
        if not mine:
            raise not_found("PipelineVersion", "Latest")
        return max(mine, key=lambda v: (v["created_at"], v["pipeline_version_id"]))

    def _read(self, filename: str, content: bytes) -> dict[str, Any]:
        most = self.world.options.max_upload
        if len(content) > most:
            raise Refusal("INVALID_ARGUMENT", f"File size too large. Maximum supported size: {most}")
        if not filename.endswith((".yaml", ".yml")):
            raise invalid("Unexpected pipeline file format. Support .zip, .tar.gz, .json or YAML.")
        try:
            documents = list(yaml.safe_load_all(content))
        except yaml.YAMLError as error:
            raise invalid(
                f"Failed to create a pipeline and a pipeline version as template is broken: {error}"
            ) from None
        if not documents or not isinstance(documents[0], dict) or "pipelineInfo" not in documents[0]:
            raise invalid("unknown template format: pipeline spec is invalid")
        name = documents[0]["pipelineInfo"].get("name", "")
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,127}", name):
            raise invalid(f"pipeline's name must contain only lowercase alphanumeric characters or '-', got {name!r}")
        return {"pipeline_spec": documents[0], "platform_spec": documents[1]} if documents[1:] else documents[0]

    def _new_pipeline(self, name: str, query: Query, namespace: str) -> dict[str, Any]:
        check_length("Pipeline.Name", name, 128)
        self._check_kubernetes_name("pipeline", name)
        if any(p["name"] == name and p.get("namespace", "") == namespace for p in self.pipelines.values()):
            raise Refusal("ALREADY_EXISTS", "Failed to create a pipeline and a pipeline version")
        return {
            "pipeline_id": self.world.new_id(),
            "name": name,
            "display_name": self._display_name(query, name),
            "description": query.get("description", ""),
            "created_at": self.world.clock.tick(),
            "namespace": namespace,
            "tags": self._tags(query),
        }

    def _new_version(self, pipeline: Mapping[str, Any], name: str, query: Query, spec: Any) -> dict[str, Any]:
        check_length("PipelineVersion.Name", name, 127)
        self._check_kubernetes_name("pipeline version", name)
        if self.world.options.store == "kubernetes":
            self._check_kubernetes_name("combined pipeline and version", f"{pipeline['name']}-{name}")
        mine = [v for v in self.versions.values() if v["pipeline_id"] == pipeline["pipeline_id"]]
        if any(v["name"] == name for v in mine):
            raise Refusal("ALREADY_EXISTS", "Failed to create a pipeline version")
        return {
            "pipeline_id": pipeline["pipeline_id"],
            "pipeline_version_id": self.world.new_id(),
            "name": name,
            "display_name": self._display_name(query, name),
            "description": query.get("description", ""),
            "created_at": self.world.clock.tick(),
            "pipeline_spec": spec,
            "tags": self._tags(query),
        }

    def _store(self, version: dict[str, Any], pipeline: dict[str, Any] | None = None) -> dict[str, Any]:
        if pipeline:
            self.pipelines[pipeline["pipeline_id"]] = pipeline
        self.versions[version["pipeline_version_id"]] = version
        return version

    def _display_name(self, query: Query, name: str) -> str:
        return query.get("display_name") or name if self.world.options.tags else name

    def _tags(self, query: Query) -> dict[str, str]:
        if not query.get("tags") or not self.world.options.tags:
            return {}
        try:
            tags: dict[str, str] = json.loads(query["tags"])
        except ValueError:
            raise invalid("Failed to parse tags query parameter.") from None
        check_tags(tags)
        return tags

    def _check_kubernetes_name(self, what: str, name: str) -> None:
        if self.world.options.store == "kubernetes" and not (SUBDOMAIN.fullmatch(name) and len(name) <= 253):
            raise invalid(
                f"Invalid {what} name {name!r}: a lowercase RFC 1123 subdomain. Use 'display_name' for labels"
            )
