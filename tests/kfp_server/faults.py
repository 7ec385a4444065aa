"""What can go wrong between a client and the server."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Answer:
    """Another answer than the server's own, from the server or from something in front of it."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    location: str = ""
    after: bool = False
    """Whether the request is carried out first."""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    """After how many bytes of the body the connection breaks."""


@dataclass(frozen=True)
class Slow:
    """The answer comes late; the request is carried out at once, or only after that time."""

    seconds: float
    after: bool = True


@dataclass(frozen=True)
class Reset:
    """The connection is cut, with the request carried out or not."""

    after: bool = False
    read: int | None = None
    """How many bytes of the body are read before; all of them where it is None."""


Fault = Answer | Slow | Reset


@dataclass
class _Planned:
    pattern: re.Pattern[str]
    fault: Fault
    times: int


@dataclass
class Faults:
    """The faults to come."""

    planned: list[_Planned] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, request: str, fault: Fault, times: int = 1) -> None:
        """Plan a fault.

        Args:
            request: a regular expression over ``METHOD /path``.
            times: how many such requests it hits.
        """
        self.planned.append(_Planned(re.compile(request), fault, times))

    def take(self, request: str) -> Fault | None:
        """The fault that hits a request, if any."""
        with self.lock:
            for planned in self.planned:
                if planned.times > 0 and planned.pattern.search(request):
                    planned.times -= 1
                    return planned.fault
        return None


def gateway(status: int, text: str) -> Answer:
    """What a proxy in front of the server says by itself."""
    return Answer(status, text.encode(), "text/plain")


NO_UPSTREAM = gateway(503, "no healthy upstream")
LOGIN_PAGE = b"""<!DOCTYPE html><html><head><title>Log in to Kubeflow</title></head>
<body><form method="post" action="/dex/auth/local"><input name="login"><input name="password"></form></body></html>"""
