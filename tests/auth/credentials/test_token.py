from __future__ import annotations

import logging
import math
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth import jwt
from kedro_kubeflow.auth.credentials.token import Token, TokenCache, expiry_of
from kedro_kubeflow.errors import AuthError


class Issuer:
    """Gives out tokens that say which one they are, at a clock that tests turn."""

    def __init__(self, lifetime: float = 1000.0) -> None:
        self.time = 1_000_000.0
        self.lifetime = lifetime
        self.given = 0
        self.pause = 0.0
        self.refuses = False
        self.cache = TokenCache(self.fetch, now=lambda: self.time)

    def fetch(self, audience: str) -> Token:
        time.sleep(self.pause)
        self.given += 1
        if self.refuses:
            raise AuthError("refused", where="here", cure="ask")
        return Token(f"{audience}-{self.given}", expires_at=self.time + self.lifetime, obtained_at=self.time)


def test_a_token_serves_until_shortly_before_its_end() -> None:
    issuer = Issuer(lifetime=3600)
    assert issuer.cache.get("a") == "a-1"
    issuer.time += 3600 - 226
    assert issuer.cache.get("a") == "a-1"
    issuer.time += 2
    assert issuer.cache.get("a") == "a-2"


@given(lifetime=st.floats(min_value=0.5, max_value=1e6))
def test_renewal_is_never_later_than_the_end_and_never_in_the_first_half(lifetime: float) -> None:
    token = Token("t", expires_at=1e9 + lifetime, obtained_at=1e9)
    assert 1e9 + lifetime / 2 < token.renew_at < 1e9 + lifetime


def test_a_token_without_an_end_is_never_renewed() -> None:
    assert math.isinf(Token("t").renew_at)


def test_each_audience_has_its_own() -> None:
    issuer = Issuer()
    assert [issuer.cache.get(a) for a in ("a", "b", "a", "b")] == ["a-1", "b-2", "a-1", "b-2"]


def test_a_dropped_token_is_got_again() -> None:
    issuer = Issuer()
    issuer.cache.get("a")
    issuer.cache.drop()
    assert issuer.cache.get("a") == "a-2"


def test_a_token_that_another_thread_got_meanwhile_is_not_dropped() -> None:
    issuer = Issuer()
    issuer.cache.get("a")

    def refused_earlier() -> None:
        issuer.cache.drop()
        issuer.cache.get("a")

    other = threading.Thread(target=refused_earlier)
    other.start()
    other.join()
    # This thread was given the first one; the second one has not been refused yet.
    issuer.cache.drop()
    assert issuer.cache.get("a") == "a-2"
    issuer.cache.drop()
    assert issuer.cache.get("a") == "a-3"


def in_threads(number: int, cache: TokenCache) -> list[str]:
    results: list[str] = []
    barrier = threading.Barrier(number)

    def ask() -> None:
        barrier.wait()
        try:
            results.append(cache.get("a"))
        except AuthError as error:
            results.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_fifty_threads_get_one_token() -> None:
    issuer = Issuer()
    issuer.pause = 0.1
    assert in_threads(50, issuer.cache) == ["a-1"] * 50
    issuer.time += 990
    assert in_threads(50, issuer.cache) == ["a-2"] * 50


def test_fifty_threads_get_one_refusal_and_the_next_one_asks_again() -> None:
    issuer = Issuer()
    issuer.pause, issuer.refuses = 0.1, True
    assert in_threads(50, issuer.cache) == ["refused\n  where: here\n  cure:  ask"] * 50
    assert issuer.given == 1
    issuer.refuses = False
    assert issuer.cache.get("a") == "a-2"


def test_a_token_that_is_still_valid_outlives_a_failed_renewal(caplog: pytest.LogCaptureFixture) -> None:
    issuer = Issuer(lifetime=1000)
    assert issuer.cache.get("a") == "a-1"
    issuer.refuses = True
    issuer.time += 900
    with caplog.at_level(logging.WARNING):
        assert issuer.cache.get("a") == "a-1"
    assert "valid for 100 more seconds. refused" in caplog.text
    assert "a-1" not in caplog.text
    # It is asked for again, but not by each request.
    asked = issuer.given
    assert issuer.cache.get("a") == "a-1"
    assert issuer.given == asked
    issuer.time += 90
    assert issuer.cache.get("a") == "a-1"
    assert issuer.given == asked + 1
    issuer.time += 11
    with pytest.raises(AuthError, match="refused"):
        issuer.cache.get("a")


def test_a_token_that_seems_expired_is_used_and_the_clock_doubted(caplog: pytest.LogCaptureFixture) -> None:
    issuer = Issuer(lifetime=-5)
    assert issuer.cache.get("a") == "a-1"
    assert "is the clock right?" in caplog.text
    assert issuer.cache.get("a") == "a-2"


def test_the_end_is_the_tokens_own_claim() -> None:
    assert expiry_of(jwt.sign({"exp": 1234.5}, jwt.key_of("issuer"))) == 1234.5


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "a.e30.c", "a.W10.c", "ya29.a0AfH6.x", "a.eyJleHAiOiJ4In0.c"])
def test_what_is_no_web_token_has_no_end(text: str) -> None:
    assert expiry_of(text) is None


def test_a_token_is_not_shown() -> None:
    assert "sesame" not in repr(Token("sesame"))
