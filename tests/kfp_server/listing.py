"""Lists as KFP gives them: filters, sorting, and pages with tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus

from kfp_server.refusal import invalid

DEFAULT_PAGE, LARGEST_PAGE = 20, 200

Entry = dict[str, Any]


def page(
    entries: Sequence[Entry], query: Mapping[str, str], *, fields: Sequence[str], key: str
) -> tuple[list[Entry], int, str]:
    """One page, the number of entries that the filter leaves, and the token of the next page."""
    size = int(query.get("page_size", 0) or 0)
    if size < 0:
        raise invalid(f"The page size should be greater than 0. Got {size}")
    asked = {"filter": query.get("filter", ""), "sort_by": query.get("sort_by", "")}
    start = _start(query.get("page_token", ""), asked)
    found = [e for e in entries if _matches(e, asked["filter"] or start.get("filter", ""), fields)]
    found = _sorted(found, asked["sort_by"] or start.get("sort_by", ""), fields, key)
    ids = [e[key] for e in found]
    first = ids.index(start["id"]) if start.get("id") in ids else 0
    size = min(size or DEFAULT_PAGE, LARGEST_PAGE)
    following = found[first + size : first + size + 1]
    token = _token({**start, **{k: v for k, v in asked.items() if v}, "id": following[0][key]}) if following else ""
    return found[first : first + size], len(found), token


def _token(content: Mapping[str, str]) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


def _start(token: str, asked: Mapping[str, str]) -> dict[str, str]:
    if not token:
        return {}
    try:
        content: dict[str, str] = json.loads(base64.b64decode(token, validate=True))
    except ValueError:
        raise invalid("Invalid package token") from None
    if any(asked[k] and asked[k] != content.get(k, "") for k in asked):
        raise invalid("page token does not match the supplied sort by and/or filtering criteria.")
    return content


def _sorted(entries: list[Entry], sort_by: str, fields: Sequence[str], key: str) -> list[Entry]:
    words = sort_by.lower().split()
    if len(words) > 2 or (len(words) == 2 and words[1] not in ("asc", "desc")):
        raise invalid(f"Received invalid sort by format {sort_by!r}.")
    field = words[0] if words else "created_at"
    if field not in fields:
        raise invalid(f"Invalid sorting field: {field!r}")
    return sorted(entries, key=lambda e: (str(e.get(field, "")), e[key]), reverse=words[1:] == ["desc"])


def _matches(entry: Entry, encoded: str, fields: Sequence[str]) -> bool:
    if not encoded:
        return True
    text = encoded if encoded.startswith("{") else unquote_plus(encoded)
    try:
        predicates = json.loads(text).get("predicates", [])
    except ValueError as error:
        raise invalid(f"failed to parse valid filter from {encoded!r}: {error}") from None
    return all(_holds(entry, p, fields) for p in predicates)


def _holds(entry: Entry, predicate: Mapping[str, Any], fields: Sequence[str]) -> bool:
    key = predicate.get("key", "")
    if key not in fields and not key.startswith("tags."):
        raise invalid(f"no support for filtering on unrecognized field {key!r}")
    actual = entry.get("tags", {}).get(key[5:]) if key.startswith("tags.") else entry.get(key, "")
    operation = predicate.get("operation")
    test = _OPERATIONS.get(_NUMBERS.get(operation, operation) if isinstance(operation, int) else str(operation))
    if test is None:
        raise invalid(f"invalid predicate operation: {operation}")
    return test(_fold(actual), _fold(_value(predicate)))


def _value(predicate: Mapping[str, Any]) -> Any:
    for name in (
        "string_value",
        "stringValue",
        "timestamp_value",
        "timestampValue",
        "int_value",
        "intValue",
        "long_value",
    ):
        if name in predicate:
            return predicate[name]
    for name in ("string_values", "stringValues"):
        if name in predicate:
            return predicate[name].get("values", [])
    raise invalid("a predicate has no value")


def _fold(value: Any) -> Any:
    """MySQL compares without case, and so does the filter's SQL."""
    if isinstance(value, list):
        return [_fold(v) for v in value]
    return str(value if value is not None else "").lower()


_OPERATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUALS": lambda a, b: a == b,
    "NOT_EQUALS": lambda a, b: a != b,
    "GREATER_THAN": lambda a, b: a > b,
    "GREATER_THAN_EQUALS": lambda a, b: a >= b,
    "LESS_THAN": lambda a, b: a < b,
    "LESS_THAN_EQUALS": lambda a, b: a <= b,
    "IN": lambda a, b: a in b,
    "IS_SUBSTRING": lambda a, b: b in a,
}
# The numbers of the protobuf enum, which kfp.Client sends in place of the names.
_NUMBERS = {
    1: "EQUALS",
    2: "NOT_EQUALS",
    3: "GREATER_THAN",
    5: "GREATER_THAN_EQUALS",
    6: "LESS_THAN",
    7: "LESS_THAN_EQUALS",
    8: "IN",
    9: "IS_SUBSTRING",
}
