"""Google's own HTTP rules read backwards: a request on the wire → the official message, unknown fields refused.

The rules (method, path, which field is the body) are those of the installed google-cloud-aiplatform's REST transports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from auth.loopback import Request, Response, as_json
from google.cloud.aiplatform_v1 import types
from google.cloud.aiplatform_v1.services.metadata_service.transports.rest_base import _BaseMetadataServiceRestTransport
from google.cloud.aiplatform_v1.services.pipeline_service.transports.rest_base import _BasePipelineServiceRestTransport
from google.cloud.aiplatform_v1.services.schedule_service.transports.rest_base import _BaseScheduleServiceRestTransport
from google.protobuf import json_format

SERVICES = (_BasePipelineServiceRestTransport, _BaseScheduleServiceRestTransport, _BaseMetadataServiceRestTransport)


class WrongRequest(Exception):
    """The request is not of the official API."""


@dataclass(frozen=True)
class Rule:
    """One way to call a method."""

    rpc: str
    method: str
    path: re.Pattern[str]
    body: str | None


def _rules() -> Iterator[Rule]:
    for service in SERVICES:
        for name in dir(service):
            if name.startswith("_Base") and hasattr(types, f"{name.removeprefix('_Base')}Request"):
                for option in getattr(service, name)._get_http_options():
                    yield Rule(
                        name.removeprefix("_Base"),
                        option["method"].upper(),
                        _pattern(option["uri"]),
                        option.get("body"),
                    )


def _pattern(uri: str) -> re.Pattern[str]:
    def variable(match: re.Match[str]) -> str:
        field, _, template = match[1].partition("=")
        inner = re.escape(template or "*").replace(r"\*\*", ".+").replace(r"\*", "[^/]+")
        return f"(?P<{field.replace('.', '__')}>{inner})"

    parts = re.split(r"(\{[^}]*\})", uri)
    return re.compile("".join(re.sub(r"\{(.*)\}", variable, p) if p.startswith("{") else re.escape(p) for p in parts))


RULES = list(_rules())


def message_of(request: Request) -> tuple[str, Any]:
    """The method's name and its request message, parsed strictly."""
    for rule in RULES:
        match = rule.path.fullmatch(request.path)
        if match and rule.method == request.method:
            return rule.rpc, _message(rule, match, request)
    raise WrongRequest(f"there is no such method: {request.method} {request.path}")


def _message(rule: Rule, match: re.Match[str], request: Request) -> Any:
    values: dict[str, Any] = {}
    for field, value in match.groupdict().items():
        _put(values, field.split("__"), value)
    for field, value in request.query.items():
        if field != "$alt":
            _put(values, field.split("."), value)
    if rule.body:
        body = request.json
        values = {**values, **(body if rule.body == "*" else {rule.body: body})}
    kind = getattr(types, f"{rule.rpc}Request")
    try:
        return kind(json_format.ParseDict(values, kind.pb()(), ignore_unknown_fields=False))
    except json_format.ParseError as error:
        raise WrongRequest(f"{rule.rpc}: {error}") from error


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        values = values.setdefault(part, {})
    values[path[-1]] = value


def answer(message: Any) -> Response:
    """A message of Google's as its JSON."""
    return Response(
        200, json_format.MessageToJson(type(message).pb(message)).encode(), {"Content-Type": "application/json"}
    )


def done(name: str, result: dict[str, Any]) -> Response:
    """An operation that is done already."""
    return as_json({"name": name, "done": True, "response": result})


def refusal(code: int, message: str) -> Response:
    status = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
    status |= {409: "ALREADY_EXISTS", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
    return as_json({"error": {"code": code, "message": message, "status": status.get(code, "INTERNAL")}}, code)


def plain(text: str) -> Any:
    return json.loads(text)
