"""What of an HTTP answer says who gave it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """An answer of any HTTP client.

    Attributes:
        headers: names in lower case.
        url: the last address, after redirects that were followed; empty where it is not known.
    """

    status: int
    headers: Mapping[str, str]
    body: str = ""
    url: str = ""

    @classmethod
    def of(cls, response: Any) -> Answer:
        """From an answer, or an error that holds one, of requests, urllib3 or ``kfp_server_api``."""
        if isinstance(response, Answer):
            return response
        status = getattr(response, "status_code", None) or getattr(response, "status", None) or 0
        body = next(
            (b for name in ("text", "body", "data") if isinstance(b := getattr(response, name, None), str | bytes)), ""
        )
        url = getattr(response, "url", None) or (response.geturl() if hasattr(response, "geturl") else "")
        headers = getattr(response, "headers", None) or {}
        return cls(
            int(status),
            {str(name).lower(): str(value) for name, value in dict(headers).items()},
            body.decode("utf-8", "replace") if isinstance(body, bytes) else body,
            str(url or ""),
        )

    @property
    def location(self) -> str:
        """Where a redirect leads."""
        return self.headers.get("location", "") if 300 <= self.status < 400 else ""

    @property
    def is_html(self) -> bool:
        """Whether it is a page, by its type or its beginning."""
        start = self.body.lstrip()[:200].lower()
        return "text/html" in self.headers.get("content-type", "") or start.startswith(("<!doctype html", "<html"))

    @property
    def json(self) -> dict[str, Any]:
        """The body's JSON object; empty where it is none."""
        try:
            said = json.loads(self.body)
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}

    @property
    def by_kfp(self) -> bool:
        """Whether KFP's own API server refused: in the shape of gRPC, or of its older paths."""
        said = self.json
        return self.status in (401, 403) and ({"code", "message"} <= said.keys() or "error_message" in said)

    @property
    def message(self) -> str:
        """What it says: KFP's message, or the text."""
        said = self.json
        if said or self.body.strip() in ("{}", "[]", "null"):
            return str(said.get("message") or said.get("error_message") or said.get("error") or "")
        return self.body
