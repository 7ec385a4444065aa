"""Tokens that are renewed before they expire, by one thread for all."""

from __future__ import annotations

import base64
import dataclasses
import json
import logging
import math
import threading
import time
from collections.abc import Callable

from cachetools import TLRUCache

from kedro_kubeflow.errors import KedroKubeflowError

log = logging.getLogger(__name__)

# Google's metadata server hands out the same ID token until 4 minutes before its end: asking earlier is in vain.
EARLIEST_RENEWAL = 225.0


@dataclasses.dataclass(frozen=True)
class Token:
    """Something secret that ends.

    Attributes:
        value: the secret, never shown.
        expires_at: its end in seconds since the epoch; infinite where nobody knows.
        obtained_at: when it was got, likewise.
    """

    value: str = dataclasses.field(repr=False)
    expires_at: float = math.inf
    obtained_at: float = dataclasses.field(default_factory=time.time)

    @property
    def renew_at(self) -> float:
        """When to look for another one: in the last fifth of its life, but not earlier than is of use."""
        if math.isinf(self.expires_at):
            return math.inf
        return self.expires_at - min(EARLIEST_RENEWAL, (self.expires_at - self.obtained_at) / 5)


def expiry_of(jwt: str) -> float | None:
    """The ``exp`` claim of a JSON Web Token (RFC 7519, 4.1.4), in seconds since the epoch; None where there is none.

    The signature is not verified: whoever receives the token does that.
    """
    try:
        _, payload, _ = jwt.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (ValueError, KeyError, TypeError):
        return None


class TokenCache:
    """Tokens by audience.

    Args:
        fetch: gets a token for an audience; called by one thread at a time.
        now: the clock, in seconds since the epoch.
    """

    def __init__(self, fetch: Callable[[str], Token], *, now: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._given = threading.local()
        self._fresh: TLRUCache[str, Token] = TLRUCache(64, ttu=lambda _, token, __: token.renew_at, timer=now)
        self._valid: TLRUCache[str, Token] = TLRUCache(64, ttu=lambda _, token, __: token.expires_at, timer=now)
        self._failures: dict[str, tuple[float, KedroKubeflowError]] = {}

    def get(self, audience: str = "") -> str:
        """A token that has not expired.

        Raises:
            KedroKubeflowError: there is none, and `fetch` says why.
        """
        asked = time.monotonic()
        with self._lock:
            token = self._fresh.get(audience) or self._renewed(audience, asked)
        vars(self._given)[audience] = token.value
        return token.value

    def drop(self) -> None:
        """Forget the tokens, as they were refused.

        Of fifty threads that were refused at once, the first one's renewal serves all: a token that somebody else got
        since the calling thread was given its own stays.
        """
        given = vars(self._given)
        with self._lock:
            for audience, token in list(self._valid.items()):
                if given.get(audience, token.value) == token.value:
                    del self._valid[audience]
                    self._fresh.pop(audience, None)

    def _renewed(self, audience: str, asked: float) -> Token:
        failed, failure = self._failures.get(audience, (-math.inf, None))
        if failure is not None and failed >= asked:
            # Somebody else asked while this thread waited for the lock: the answer holds for both.
            raise type(failure)(failure.what, where=failure.where, cure=failure.cure)
        try:
            token = self._fetch(audience)
        except KedroKubeflowError as error:
            token = self._still_valid(audience, error)
        if token.expires_at <= self._now():
            log.warning("A new token has expired already by this machine's clock; is the clock right?")
        self._fresh[audience] = self._valid[audience] = token
        return token

    def _still_valid(self, audience: str, error: KedroKubeflowError) -> Token:
        """The token at hand, where renewal failed before its end; it is asked for again later."""
        token = self._valid.get(audience)
        if token is None:
            self._failures[audience] = (time.monotonic(), error)
            raise error
        left = token.expires_at - self._now()
        log.warning("A token could not be renewed; the one at hand is valid for %.0f more seconds. %s", left, error)
        return dataclasses.replace(token, obtained_at=self._now())
