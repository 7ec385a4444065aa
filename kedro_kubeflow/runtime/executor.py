"""KFP's executor input and output: where a step's data lies, and what it tells KFP of what it made.

The messages are ``ExecutorInput`` and ``ExecutorOutput`` of kubeflow/pipelines ``api/v2alpha1/pipeline_spec.proto``. On Kubeflow
the launcher downloads input artifacts before the step starts and uploads outputs after it; both lie at local paths that
follow from their URIs.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOUNTS = {"gs://": "/gcs/", "s3://": "/s3/", "minio://": "/minio/"}
MOUNT_ROOT_ENV = "KEDRO_KUBEFLOW_MOUNT_ROOT"


class Executor:
    """One executor input, and the output that is built up to answer it."""

    def __init__(self, text: str) -> None:
        """Read the input.

        Raises:
            ValueError: it is not JSON, or not an executor input.
        """
        message = json.loads(text)
        if not isinstance(message, dict):
            raise ValueError("the executor input is not a JSON object")
        self._inputs = message.get("inputs") or {}
        self._outputs = message.get("outputs") or {}
        self._metadata: dict[str, dict[str, float | str]] = {}
        self._values: dict[str, Any] = {}

    @property
    def parameters(self) -> dict[str, Any]:
        """Input parameters by KFP name, as protobuf and JSON left them."""
        return dict(self._inputs.get("parameterValues") or {})

    def text(self, further: Mapping[str, Any]) -> str:
        """The executor input as JSON again, with further parameters."""
        values = {**self.parameters, **further}
        return json.dumps({"inputs": {**self._inputs, "parameterValues": values}, "outputs": self._outputs})

    @property
    def output_file(self) -> str:
        """Where the executor output goes, as KFP says; empty where it asks for none."""
        return str(self._outputs.get("outputFile") or "")

    def input_path(self, artifact: str) -> Path:
        """Where an input artifact lies."""
        return _local_path(self._artifact(self._inputs, artifact))

    def output_path(self, artifact: str) -> Path:
        """Where an output artifact must be put."""
        return _local_path(self._artifact(self._outputs, artifact))

    def output_uri(self, artifact: str) -> str:
        """Where an output artifact will lie for good."""
        return str(self._artifact(self._outputs, artifact).get("uri", ""))

    @property
    def run_id(self) -> str | None:
        """The id of the Kubeflow run, out of where outputs go; None where there are none, or where URIs hold no such id.

        The driver of KFP puts them to ``ROOT/PIPELINE/RUN/TASK/UUID/ARTIFACT``, before 2.4 without the UUID.
        """
        for artifact in self._outputs.get("artifacts") or {}:
            found = [part for part in self.output_uri(artifact).split("/")[-4:-2] if _UUID.fullmatch(part)]
            if found:
                return found[0]
        return None

    def output_type(self, artifact: str) -> str:
        """An output artifact's type, such as ``system.Metrics``."""
        return str((self._artifact(self._outputs, artifact).get("type") or {}).get("schemaTitle", ""))

    def describe(self, artifact: str, metadata: Mapping[str, Any]) -> None:
        """Add metadata to an output artifact: numbers and strings; anything else goes as JSON, null is left out.

        KFP's metadata store turns ints into doubles and refuses null.
        """
        kept = self._metadata.setdefault(artifact, {})
        for key, value in metadata.items():
            if value is not None:
                plain = isinstance(value, str | int | float) and not isinstance(value, bool)
                kept[str(key)] = value if plain else json.dumps(value)

    def put_out(self, parameter: str, value: Any) -> None:
        """Set an output parameter."""
        self._values[parameter] = value

    def write(self) -> None:
        """Write the executor output: every artifact, with its URI and metadata, and every parameter."""
        if not self.output_file:
            return
        file = _mounted(self.output_file)
        file.parent.mkdir(parents=True, exist_ok=True)
        artifacts = {
            name: {"artifacts": [self._runtime_artifact(name)]} for name in self._outputs.get("artifacts") or {}
        }
        message = {"artifacts": artifacts, "parameterValues": self._values}
        file.write_text(json.dumps(message), "utf-8")

    def _runtime_artifact(self, name: str) -> dict[str, Any]:
        given = self._artifact(self._outputs, name)
        metadata = {**(given.get("metadata") or {}), **self._metadata.get(name, {})}
        return {"name": given.get("name", name), "uri": given.get("uri", ""), "metadata": metadata}

    @staticmethod
    def _artifact(side: Mapping[str, Any], name: str) -> dict[str, Any]:
        try:
            return dict(side["artifacts"][name]["artifacts"][0])
        except (KeyError, IndexError, TypeError):
            raise ValueError(f"the executor input has no artifact {name!r}") from None


def _local_path(artifact: Mapping[str, Any]) -> Path:
    if artifact.get("customPath"):
        return Path(str(artifact["customPath"]))
    return _mounted(str(artifact.get("uri", "")))


def _mounted(uri: str) -> Path:
    """The path at which KFP's launcher (or Vertex AI's Cloud Storage mount) keeps a URI."""
    root = os.environ.get(MOUNT_ROOT_ENV, "")
    for scheme, mount in _MOUNTS.items():
        if uri.startswith(scheme):
            return Path(f"{root}{mount}{uri.removeprefix(scheme)}")
    return Path(f"{root}{uri}") if uri.startswith(tuple(_MOUNTS.values())) else Path(uri)
