"""A login at Dex, as a browser does it: behind oauth2-proxy (today's Kubeflow) and authservice (yesterday's).

The host sends an unknown visitor to Dex, directly or by a sign-in page; Dex shows its connectors where it has several,
then a form, then perhaps asks to approve; at the end the host sets its session cookie (``oauth2_proxy_kubeflow`` or
``authservice_session``). See https://dexidp.io/docs/ and
https://www.kubeflow.org/docs/components/pipelines/user-guides/core-functions/connect-api/.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from kedro_kubeflow.auth.credentials.header import sendable
from kedro_kubeflow.auth.credentials.provider import Surroundings
from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.auth.credentials.secret import SecretSource, source_of
from kedro_kubeflow.auth.credentials.token import Token, TokenCache
from kedro_kubeflow.auth.kubeflow.html_forms import Form, Page, read_page
from kedro_kubeflow.auth.kubeflow.http_errors import TIMEOUT, http_errors
from kedro_kubeflow.config.auth import DexAuth, Secret
from kedro_kubeflow.errors import AuthError, ServerError

log = logging.getLogger(__name__)

# Sign-in page, connectors, form, approval, and some to spare.
MOST_PAGES = 8
# Addresses of Dex, oauth2-proxy and authservice: an error there is one of the login.
_WAY = ("/dex/", "/oauth2/", "/authservice/", "/login/oidc")


def from_config(config: DexAuth, around: Surroundings) -> DexSession:
    """The provider that the section `auth` describes."""
    username = source_of(config.username, around.env) if isinstance(config.username, Secret) else config.username
    return DexSession(
        around.host, username, source_of(config.password, around.env), connector=config.connector, verify=around.verify
    )


class DexSession:
    """The session cookie of a host that Dex guards.

    Args:
        host: the address of Kubeflow Pipelines; where the login begins.
        username: the user, or where to read it.
        password: where to read the password.
        connector: which one to take where Dex offers several.
        verify: how to check certificates, as requests takes it.
    """

    def __init__(
        self,
        host: str,
        username: str | SecretSource,
        password: SecretSource,
        *,
        connector: str = "local",
        verify: bool | str = True,
    ) -> None:
        self.host = host
        self._username = username
        self._password = password
        self._connector = connector
        self._verify = verify
        self._cache = TokenCache(lambda _: self._login())

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        cookie = self._cache.get(self.host)
        return {"Cookie": sendable(cookie, where=self.host)} if cookie else {}

    def renew(self) -> bool:
        """See `AuthProvider`."""
        self._cache.drop()
        return True

    def __repr__(self) -> str:
        user = self._username if isinstance(self._username, str) else f"{self._username!r}"
        return f"{type(self).__name__}({self.host!r}, {user})"

    def _login(self) -> Token:
        import requests

        username = self._username if isinstance(self._username, str) else self._username.read()
        with requests.Session() as session, http_errors("Kubeflow's login", self.host):
            visit = _Visit(session, self.host, username, self._password.read(), self._connector, self._verify)
            visit.log_in()
            return _session_cookie(session, self.host, needed=visit.identified)


class _Visit:
    """One walk through the pages of a login."""

    def __init__(
        self, session: Any, host: str, username: str, password: str, connector: str, verify: bool | str
    ) -> None:
        self.session = session
        self.host = host
        self.username = username
        self.connector = connector
        self.identified = False
        self._password = password
        # Given with each request: a session's own `verify` gives way to REQUESTS_CA_BUNDLE.
        self._options: dict[str, Any] = {"verify": verify, "timeout": TIMEOUT}

    def log_in(self) -> None:
        """Go on from page to page until there is nothing left to fill in.

        Raises:
            AuthError: Dex refuses the user, or a page is none that we know.
        """
        answer = self._get(self.host)
        for _ in range(MOST_PAGES):
            step = self._next_step(answer, read_page(answer.text, answer.url))
            if step is None:
                return self._check_end(answer)
            answer = step()
        raise AuthError(f"The login does not end after {MOST_PAGES} pages", where=_address(answer.url))

    def _next_step(self, answer: Any, page: Page) -> Callable[[], Any] | None:
        for form in page.forms:
            if form.fields.get("approval") == "approve":
                return lambda: self._submit(form)
        # An oauth2-proxy with users of its own shows a form beside the way to Dex.
        for form in page.forms:
            if urlsplit(form.action).path.endswith("/start"):
                return lambda: self._submit(form)
        if connector := self._link_to_connector(page):
            return lambda: self._get(connector)
        for form in page.forms:
            if form.password_field:
                return lambda: self._identify(form, form.password_field or "", answer)
        if answer.status_code in (401, 403) and not self.identified and not _is_start(answer.url):
            # An oauth2-proxy that shows no page; KFP's documentation goes the same way.
            return lambda: self._get(f"{_origin(answer.url)}/oauth2/start?rd=%2F")
        return None

    def _link_to_connector(self, page: Page) -> str | None:
        links = [link for link in page.links if "/auth/" in urlsplit(link).path]
        if not links or any(form.password_field for form in page.forms):
            return None
        connectors = {urlsplit(link).path.rstrip("/").rpartition("/")[2]: link for link in links}
        if self.connector not in connectors:
            raise AuthError(
                f"Dex has no connector {self.connector!r}, only {', '.join(sorted(connectors))}",
                where=self.host,
                cure="set `connector` under `auth` to one that takes a user name and a password",
            )
        return connectors[self.connector]

    def _identify(self, form: Form, password_field: str, answer: Any) -> Any:
        if self.identified and answer.history:
            # It led somewhere: the password was accepted, but the host knew nothing of it afterwards.
            raise _not_kept(self.session, self.host)
        if self.identified:
            raise AuthError(
                f"Dex refuses the user {self.username!r}, or the password",
                where=_address(form.action),
                cure="check DEX_USERNAME and DEX_PASSWORD (or `username` and `password` under `auth`) and `connector`",
            )
        self._refuse_to_tell(form)
        self.identified = True
        values = {**form.fields, form.user_field or "login": self.username, password_field: self._password}
        return self.session.post(form.action, data=values, **self._options)

    def _refuse_to_tell(self, form: Form) -> None:
        """Raise where the password would go to somebody whom it is not meant for."""
        host, target = urlsplit(self.host), urlsplit(form.action)
        if host.scheme == "https" and target.scheme != "https":
            raise AuthError(
                "The login form would send the password in clear",
                where=_address(form.action),
                cure="ask the administrator to serve Dex by https://",
            )
        if target.hostname != host.hostname and f"/auth/{self.connector}" not in target.path:
            raise AuthError(
                "The login leads to another host, and to no login of Dex: the password is not sent there",
                where=_address(form.action),
                cure="check `host`; with another identity provider than Dex, use another `type` under `auth`",
            )

    def _submit(self, form: Form) -> Any:
        if form.method == "GET":
            return self._get(form.action, params=form.fields)
        return self.session.post(form.action, data=form.fields, **self._options)

    def _get(self, url: str, **more: Any) -> Any:
        return self.session.get(url, headers={"Accept": "text/html,*/*"}, **self._options, **more)

    def _check_end(self, answer: Any) -> None:
        if answer.status_code >= 500:
            said = redacted(read_page(answer.text, answer.url).title or answer.reason)
            raise ServerError(
                f"The login fails with HTTP {answer.status_code} {said}",
                where=_address(answer.url),
                cure="try again later",
            )
        on_the_way = any(part in urlsplit(answer.url).path for part in _WAY)
        if (answer.status_code in (401, 403) and not self.identified) or (answer.status_code >= 400 and on_the_way):
            raise AuthError(
                f"The login ends with HTTP {answer.status_code} at a page without a form that we know",
                where=_address(answer.url),
                cure="check `host`; with another identity provider than Dex, use another `type` under `auth`",
            )


def _session_cookie(session: Any, host: str, *, needed: bool) -> Token:
    """The cookies that the host set for itself, as one header."""
    import requests

    if not needed:
        log.info("%s asks for no login: nothing is sent", host)
        return Token("")
    if header := session.prepare_request(requests.Request("GET", host)).headers.get("Cookie"):
        sent = {pair.partition("=")[0].strip() for pair in header.split(";")}
        ends = [cookie.expires for cookie in session.cookies if cookie.expires and cookie.name in sent]
        return Token(header, expires_at=float(min(ends)) if ends else math.inf)
    raise _not_kept(session, host)


def _not_kept(session: Any, host: str) -> AuthError:
    secure = any(cookie.secure for cookie in session.cookies) and host.startswith("http://")
    return AuthError(
        "Dex accepted the login, but the host keeps no session"
        + (": its cookie is for https:// only" if secure else ""),
        where=host,
        cure="write https:// under `host`" if secure else "check that `host` is the address that the login belongs to",
    )


def _is_start(url: str) -> bool:
    return urlsplit(url).path.endswith("/oauth2/start")


def _origin(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


def _address(url: str) -> str:
    """Without the query, which carries states and codes."""
    return _origin(url) + urlsplit(url).path
