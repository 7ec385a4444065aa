"""Addresses of a login: where an answer leads, who is meant, and what of it people may see."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urljoin, urlsplit

NO_ADDRESS = "invalid:"


def redirected(answer: Any) -> str | None:
    """Where an answer leads, absolute; None where it is no redirect."""
    if answer.status_code not in (301, 302, 303, 307, 308) or not answer.headers.get("Location"):
        return None
    # HTTP's headers are Latin-1 to requests, whatever they are.
    location: str = answer.headers["Location"].encode("latin-1", "replace").decode("utf-8", "replace")
    return joined(str(answer.url), location)


def joined(base: str, address: str) -> str:
    """An address made absolute; one that cannot be read becomes `NO_ADDRESS`, which nobody is asked at."""
    try:
        url = urljoin(base, address)
        _ = urlsplit(url).port
    except ValueError:
        return NO_ADDRESS
    return url


def origin(url: str) -> str:
    """Scheme, host and port, as browsers compare them (RFC 6454)."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    port = parts.port or {"https": 443, "http": 80}.get(scheme)
    return f"{scheme}://{(parts.hostname or '').rstrip('.')}:{port}"


def address(url: str) -> str:
    """An address as people may see it: without the query, which carries states and codes, and without a user."""
    parts = urlsplit(url)
    if not parts.netloc:
        return parts.path
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def is_loopback(host: str | None) -> bool:
    """Whether a host's name is this machine's own."""
    name = (host or "").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
