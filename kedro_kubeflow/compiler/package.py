"""The compiled pipeline: a value that prints as its YAML."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import yaml

_BASE: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_BASE):  # type: ignore[misc]
    """Writes the same value twice rather than an alias, which people and other readers of YAML trip over."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class CompiledPipeline:
    """KFP IR, and what the server is told beside it.

    Attributes:
        name: the KFP pipeline name, a DNS label.
        display_name: what people see.
        pipeline_spec: KFP's ``PipelineSpec`` as plain values
            (https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/compile-a-pipeline/).
        platform_spec: KFP's ``PlatformSpec`` as plain values; empty where nothing is asked of Kubernetes.
        parameters: default of each input, by KFP name.
        tags: project, environment and the like, for the server's records.
    """

    name: str
    display_name: str
    description: str = ""
    pipeline_spec: Mapping[str, Any]
    platform_spec: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text

    @cached_property
    def text(self) -> str:
        """The YAML that ``kfp`` and the server read; the same bytes for the same input."""
        documents = [_dump(self.pipeline_spec)]
        if self.platform_spec:
            documents.append(_dump(self.platform_spec))
        return "\n".join(self._header()) + "\n" + "---\n".join(documents)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the YAML, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def _header(self) -> Iterator[str]:
        yield "# PIPELINE DEFINITION"
        yield f"# Name: {self.name}"
        if self.description:
            yield f"# Description: {' '.join(self.description.split())}"


def _dump(document: Mapping[str, Any]) -> str:
    # A width without end: line folding would depend on the YAML library.
    return str(yaml.dump(dict(document), Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=2**31 - 1))
