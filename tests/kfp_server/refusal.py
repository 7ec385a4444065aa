"""Refusals in the shape of gRPC, as grpc-gateway writes them."""

from __future__ import annotations

from typing import Any

# https://grpc.github.io/grpc/core/md_doc_statuscodes.html, with the HTTP status that grpc-gateway gives to each.
CODES = {
    "INVALID_ARGUMENT": (3, 400),
    "NOT_FOUND": (5, 404),
    "ALREADY_EXISTS": (6, 409),
    "PERMISSION_DENIED": (7, 403),
    "RESOURCE_EXHAUSTED": (8, 429),
    "FAILED_PRECONDITION": (9, 400),
    "ABORTED": (10, 409),
    "INTERNAL": (13, 500),
    "UNAVAILABLE": (14, 503),
    "UNAUTHENTICATED": (16, 401),
}


class Refusal(Exception):
    """The server says no.

    Args:
        message: the reason.
        way: what the server's layers say before it.
        after: and what they say behind it.
    """

    def __init__(self, code: str, message: str, way: str = "", after: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.way, self.after = code, message, way, after

    @property
    def status(self) -> int:
        return CODES[self.code][1]

    def body(self) -> dict[str, Any]:
        number = CODES[self.code][0]
        said = "Internal Server Error" if self.code == "INTERNAL" else self.message
        detail = {"@type": "type.googleapis.com/google.rpc.Status", "code": number, "message": said}
        return {"code": number, "message": f"{self.way}{self.message}{self.after}", "details": [detail]}

    def upload_body(self) -> dict[str, Any]:
        """The two upload endpoints are no gRPC: they have an error body of their own, outside of the contract."""
        where = "github.com/kubeflow/pipelines/backend/src/apiserver/server.(*PipelineUploadServer).uploadPipeline"
        return {"error_message": self.message, "error_details": f"{self.message}\n{where}\n\t/go/src/server.go:185"}


def invalid(message: str, way: str = "") -> Refusal:
    return Refusal("INVALID_ARGUMENT", message, way and f"{way}: Invalid input error: ")


def not_found(kind: str, name: str, way: str = "") -> Refusal:
    return Refusal("NOT_FOUND", f"{kind} {name} not found", f"{way}: ResourceNotFoundError: ")
