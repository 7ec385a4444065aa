"""A login at Dex, as a browser does it: behind oauth2-proxy (today's Kubeflow) and authservice (yesterday's).

The host sends an unknown visitor to Dex, directly or by a sign-in page; Dex shows its connectors where it has several,
then a form, then perhaps asks to approve; at the end the host sets its session cookie (``oauth2_proxy_kubeflow`` or
``authservice_session``). See https://dexidp.io/docs/ and
https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/connect-api/.
"""

from __future__ import annotations

import logging
import math
from typing import Any

from kedro_kubeflow.auth.credentials.header import sendable
from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.credentials.secret import SecretSource, source_of
from kedro_kubeflow.auth.credentials.token import Token, TokenCache
from kedro_kubeflow.auth.kubeflow.dex_visit import Visit, not_kept
from kedro_kubeflow.auth.kubeflow.http import Requests
from kedro_kubeflow.config.auth import DexAuth, Secret

log = logging.getLogger(__name__)


def from_config(config: DexAuth, around: Surroundings) -> DexSession:
    """The provider that the section `auth` describes."""
    username = source_of(config.username, around.env) if isinstance(config.username, Secret) else config.username
    return DexSession(around, username, source_of(config.password, around.env), connector=config.connector)


class DexSession:
    """The session cookie of a host that Dex guards.

    Args:
        around: the address of Kubeflow Pipelines, where the login begins, and how to check certificates.
        username: the user, or where to read it.
        password: where to read the password.
        connector: which one to take where Dex offers several.
    """

    def __init__(
        self, around: Surroundings, username: str | SecretSource, password: SecretSource, *, connector: str = "local"
    ) -> None:
        self.host = around.host
        self._around = around
        self._username = username
        self._password = password
        self._connector = connector
        self._cache = TokenCache(lambda _: self._login())

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        cookie = self._cache.get(self.host)
        return {"Cookie": sendable(cookie, where=self.host)} if cookie else {}

    def renew(self) -> bool:
        """See `AuthProvider`."""
        self._cache.drop()
        return True

    def __str__(self) -> str:
        return f"the login of {self._username if isinstance(self._username, str) else repr(self._username)} at Dex"

    def __repr__(self) -> str:
        user = self._username if isinstance(self._username, str) else f"{self._username!r}"
        return f"{type(self).__name__}({self.host!r}, {user})"

    def _login(self) -> Token:
        username = self._username if isinstance(self._username, str) else self._username.read()
        with Requests(self._around) as requests:
            visit = Visit(requests, self.host, username, self._password.read(), self._connector)
            visit.log_in()
            return _session_cookie(requests.session, self.host, visit)


def _session_cookie(session: Any, host: str, visit: Visit) -> Token:
    """The cookies that the host set for itself, as one header."""
    import requests

    if not visit.began:
        log.info("%s asks for no login: nothing is sent", host)
        return Token("")
    header = session.prepare_request(requests.Request("GET", host)).headers.get("Cookie", "")
    sent = {pair.partition("=")[0].strip() for pair in header.split(";")}
    # What was there before the callback belongs to the way, such as the cookie against forged requests.
    if not sent & visit.cookies_at_the_end:
        raise not_kept(session, host)
    ends = [cookie.expires for cookie in session.cookies if cookie.expires and cookie.name in sent]
    return Token(header, expires_at=float(min(ends)) if ends else math.inf)
