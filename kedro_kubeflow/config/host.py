"""The server's address as people copy it: out of the browser, out of Kubeflow's dashboard, out of an example."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit, urlunsplit

# The API's own paths, and KFP's page.
_TAIL = re.compile(r"/(apis(/.*)?|index\.html)?$")
# Kubeflow's dashboard shows KFP's UI inside of its own, under this path.
_DASHBOARD = re.compile(r"^/_(?=/|$)")


def plain_address(text: str) -> str:
    """Scheme, host and path alone, without a slash at the end.

    >>> plain_address("https://kubeflow.example.com/_/pipeline/?ns=team-a#/runs")
    'https://kubeflow.example.com/pipeline'

    Raises:
        ValueError: it is no address.
    """
    parts = urlsplit(text.strip())
    path = _TAIL.sub("", _DASHBOARD.sub("", parts.path))
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))


def namespace_of_address(text: str) -> str | None:
    """The namespace that Kubeflow's dashboard writes into its addresses; None where there is none.

    >>> namespace_of_address("https://kubeflow.example.com/_/pipeline/#/runs?ns=team-a")
    'team-a'
    """
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return None
    for query in (parts.query, parts.fragment.partition("?")[2]):
        if found := parse_qs(query).get("ns"):
            return found[0]
    return None
