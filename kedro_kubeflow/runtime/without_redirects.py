"""Requests that go to the address that was given, and nowhere else.

``urllib`` would follow redirects with the ``Authorization`` header, also to another host, and turn a POST into a GET.
"""

from __future__ import annotations

import urllib.request
from typing import Any


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None lets urllib raise the redirect as an `urllib.error.HTTPError`."""


_OPENER = urllib.request.build_opener(_NoRedirect)


def send(request: urllib.request.Request, *, timeout: float) -> Any:
    """The answer to a request.

    Args:
        timeout: seconds without a byte.

    Raises:
        OSError: there is none, or it is an error or a redirect (`urllib.error.HTTPError`).
    """
    return _OPENER.open(request, timeout=timeout)
