"""KFP's official contract: finds the operation of a request, and says what in a request or an answer breaks it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema

CONTRACT = json.loads((Path(__file__).parent / "kfp_api_single_file.swagger.json").read_text("utf-8"))
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_FORMATS = jsonschema.FormatChecker(formats=())
_FORMATS.checks("date-time")(lambda value: not isinstance(value, str) or bool(_RFC3339.fullmatch(value)))


@dataclass(frozen=True)
class Operation:
    """One operation of the contract, with the values that its path had."""

    id: str
    spec: Mapping[str, Any]
    path: Mapping[str, str]

    def problems_of_request(
        self, query: Sequence[tuple[str, str]], body: Any, files: Mapping[str, Any]
    ) -> Iterator[str]:
        """What in a request breaks the contract."""
        declared = {p["name"]: p for p in self.spec.get("parameters", ())}
        for name, value in query:
            parameter = declared.get(name)
            if parameter is None or parameter["in"] != "query":
                yield f"{self.id}: unknown query parameter {name!r}"
            elif parameter["type"] == "integer" and not re.fullmatch(r"-?\d+", value):
                yield f"{self.id}: {name}={value!r} is no integer"
            elif parameter["type"] == "boolean" and value not in ("true", "false", "True", "False"):
                yield f"{self.id}: {name}={value!r} is no boolean"
        for parameter in declared.values():
            if parameter["in"] == "body":
                yield from (f"{self.id}: body: {p}" for p in _problems(parameter["schema"], body))
            if parameter["in"] == "formData" and parameter.get("required") and parameter["name"] not in files:
                yield f"{self.id}: the form field {parameter['name']!r} is missing"

    def problems_of_answer(self, status: int, body: Any) -> Iterator[str]:
        """What in an answer breaks the contract."""
        responses = self.spec["responses"]
        schema = responses.get(str(status), responses["default"])["schema"]
        yield from (f"{self.id}: answer {status}: {p}" for p in _problems(schema, body))


def find_operation(method: str, path: str) -> Operation | None:
    """The operation of a request, or None where the contract has none."""
    # A literal path (…/pipelines/upload) goes before one with variables (…/pipelines/{pipeline_id}).
    for template, operations in sorted(CONTRACT["paths"].items(), key=lambda item: item[0].count("{")):
        match = _regex(template).fullmatch(path)
        if match and method.lower() in operations:
            spec = operations[method.lower()]
            names = re.findall(r"{([^}]+)}", template)
            return Operation(spec["operationId"], spec, dict(zip(names, match.groups(), strict=True)))
    return None


def _regex(template: str) -> re.Pattern[str]:
    return re.compile(
        "".join("([^/:]+)" if p.startswith("{") else re.escape(p) for p in re.split(r"({[^}]+})", template))
    )


def _problems(schema: Mapping[str, Any], value: Any) -> Iterator[str]:
    whole = {**_strict(schema), "definitions": _DEFINITIONS}
    for error in jsonschema.Draft4Validator(whole, format_checker=_FORMATS).iter_errors(value):
        yield f"{'.'.join(str(p) for p in error.absolute_path)}: {error.message[:300]}"


def _strict(schema: Any) -> Any:
    """No unknown fields, and int64 as protobuf's JSON has it: text on the way out, either on the way in."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "string" and schema.get("format") == "int64":
        return {"anyOf": [{"type": "string", "pattern": r"^-?\d+$"}, {"type": "integer"}]}
    strict = {key: _strict(value) for key, value in schema.items()}
    if "properties" in strict and "additionalProperties" not in strict and isinstance(strict["properties"], dict):
        strict["additionalProperties"] = False
    return strict


_DEFINITIONS = {name: _strict(schema) for name, schema in CONTRACT["definitions"].items()}
