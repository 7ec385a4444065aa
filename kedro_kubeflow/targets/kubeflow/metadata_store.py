"""Kubeflow's own record of what ran: ML Metadata, which the UI reads to colour a run's boxes.

It is asked over gRPC-Web at the UI's address, as the UI itself asks it
(https://github.com/google/ml-metadata/blob/master/ml_metadata/proto/metadata_store_service.proto). Launchers write into it, so
that it knows each step that came to run, also of a run that Argo can no longer keep readable.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from kedro_kubeflow.targets.kubeflow.connection import Connection

CONTEXT = "system.PipelineRun"
_SERVICE = "/ml_metadata.MetadataStoreService/"
_PAGE = 100
_STATES = ("UNKNOWN", "WAITING", "RUNNING", "SUCCEEDED", "FAILED", "SUCCEEDED", "CANCELED")
"""By MLMD's number: new, running, complete, failed, cached, cancelled."""


class NoMetadata(Exception):
    """The record cannot be read, or has nothing of the run."""


@dataclass(frozen=True)
class Execution:
    """What ran, or came from the cache.

    Attributes:
        task: its name in the spec.
    """

    task: str
    state: str
    pod: str | None = None


@dataclass(frozen=True)
class MetadataStore:
    """The record behind one UI."""

    connection: Connection
    host: str

    def executions(self, run_id: str) -> list[Execution]:
        """Everything that ran of a run, in the order in which it began; groups too.

        Raises:
            NoMetadata: there is no record of it.
        """
        context = self._context(run_id)
        return [_execution(e) for page in self._pages("GetExecutionsByContext", context) for e in page.executions]

    def artifacts(self, run_id: str) -> list[str]:
        """The URIs of what it has left.

        Raises:
            NoMetadata: there is no record of it.
        """
        context = self._context(run_id)
        return [str(a.uri) for page in self._pages("GetArtifactsByContext", context) for a in page.artifacts]

    def _context(self, run_id: str) -> int:
        answer = self._call("GetContextByTypeAndName", type_name=CONTEXT, context_name=run_id)
        if not answer.HasField("context"):
            raise NoMetadata(f"Kubeflow's metadata know no run {run_id}")
        return int(answer.context.id)

    def _pages(self, method: str, context: int) -> Iterator[Any]:
        token = ""
        while True:
            answer = self._call(
                method, context_id=context, options={"max_result_size": _PAGE, "next_page_token": token}
            )
            yield answer
            token = answer.next_page_token
            if not token:
                return

    def _call(self, method: str, **fields: Any) -> Any:
        message = _message(f"{method}Request")(**fields).SerializeToString()
        framed = self.connection.binary(_SERVICE + method, b"\0" + struct.pack(">I", len(message)) + message, self.host)
        return _message(f"{method}Response").FromString(_data(framed))


def _data(framed: bytes) -> bytes:
    """The message in an answer of gRPC-Web: frames with a flag and a length; the one with the highest bit is the trailer."""
    data, rest = b"", framed
    while len(rest) >= 5:
        flag, length = rest[0], struct.unpack(">I", rest[1:5])[0]
        frame, rest = rest[5 : 5 + length], rest[5 + length :]
        if not flag & 0x80:
            data += frame
        elif b"grpc-status" in frame.lower() and b"grpc-status:0" not in frame.lower().replace(b" ", b""):
            raise NoMetadata(frame.decode("utf-8", "replace").strip())
    return data


def _execution(entry: Any) -> Execution:
    said = entry.custom_properties
    name = said["task_name"].string_value or said["display_name"].string_value
    state = _STATES[entry.last_known_state] if entry.last_known_state < len(_STATES) else "UNKNOWN"
    return Execution(name, state, said["pod_name"].string_value or None)


# The fields that are read, by number and type, of MLMD's messages.
_FIELDS: dict[str, tuple[tuple[str, int, str], ...]] = {
    "Value": (("int_value", 1, "int64"), ("double_value", 2, "double"), ("string_value", 3, "string")),
    "ListOperationOptions": (("max_result_size", 1, "int32"), ("next_page_token", 3, "string")),
    "Context": (("id", 1, "int64"), ("name", 3, "string")),
    "Execution": (("id", 1, "int64"), ("last_known_state", 3, "int32"), ("custom_properties", 5, "map")),
    "Artifact": (("id", 1, "int64"), ("uri", 3, "string")),
    "GetContextByTypeAndNameRequest": (("type_name", 1, "string"), ("context_name", 2, "string")),
    "GetContextByTypeAndNameResponse": (("context", 1, "Context"),),
    "GetExecutionsByContextRequest": (("context_id", 1, "int64"), ("options", 2, "ListOperationOptions")),
    "GetExecutionsByContextResponse": (("executions", 1, "*Execution"), ("next_page_token", 2, "string")),
    "GetArtifactsByContextRequest": (("context_id", 1, "int64"), ("options", 2, "ListOperationOptions")),
    "GetArtifactsByContextResponse": (("artifacts", 1, "*Artifact"), ("next_page_token", 2, "string")),
}


def _message(name: str) -> Any:
    return _messages()[name]


@cache
def _messages() -> dict[str, Any]:
    """MLMD's messages, as far as they are read; its own package for Python is as large as KFP's, and ends at Python 3.11."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    package = "kedro_kubeflow.ml_metadata"
    field, file = descriptor_pb2.FieldDescriptorProto, descriptor_pb2.FileDescriptorProto()
    file.name, file.package, file.syntax = "kedro_kubeflow/ml_metadata.proto", package, "proto2"
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for key, number, kind in fields:
            made = message.field.add(name=key, number=number, label=field.LABEL_OPTIONAL)
            if kind == "map":
                entry = message.nested_type.add(name="CustomPropertiesEntry")
                entry.options.map_entry = True
                entry.field.add(name="key", number=1, label=field.LABEL_OPTIONAL, type=field.TYPE_STRING)
                entry.field.add(
                    name="value",
                    number=2,
                    label=field.LABEL_OPTIONAL,
                    type=field.TYPE_MESSAGE,
                    type_name=f".{package}.Value",
                )
                made.label, made.type = field.LABEL_REPEATED, field.TYPE_MESSAGE
                made.type_name = f".{package}.{name}.CustomPropertiesEntry"
            elif kind.lstrip("*") in _FIELDS:
                made.label = field.LABEL_REPEATED if kind.startswith("*") else field.LABEL_OPTIONAL
                made.type, made.type_name = field.TYPE_MESSAGE, f".{package}.{kind.lstrip('*')}"
            else:
                made.type = getattr(field, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in _FIELDS}
