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
    """The server says no."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message

    @property
    def status(self) -> int:
        return CODES[self.code][1]

    def body(self) -> dict[str, Any]:
        detail = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": self.code,
            "error_message": self.message,
        }
        return {"code": CODES[self.code][0], "message": f"{self.message}", "details": [detail]}

    def upload_body(self) -> dict[str, Any]:
        """The two upload endpoints are no gRPC: they have an error body of their own, outside of the contract."""
        return {"error_message": self.message, "error_details": f"{self.code}: {self.message}"}


def invalid(message: str) -> Refusal:
    return Refusal("INVALID_ARGUMENT", message)


def not_found(kind: str, name: str) -> Refusal:
    return Refusal("NOT_FOUND", f"ResourceNotFoundError: {kind} {name} not found.")
