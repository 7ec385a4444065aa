"""The walk through the pages of a login at Dex: which page leads where, and whom the password is told.

Every address on the way is looked at before it is asked, redirects too: it belongs to the host, or to the one login that
the host itself has sent to with an authorization request (RFC 6749, 4.1.1), and is never http after https.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.auth.kubeflow.addresses import address, is_loopback, joined, origin, redirected
from kedro_kubeflow.auth.kubeflow.html_forms import Form, Page, read_page
from kedro_kubeflow.auth.kubeflow.http import Requests
from kedro_kubeflow.errors import AuthError, ServerError

# Sign-in page, connectors, form, approval, and some to spare.
MOST_PAGES = 8
MOST_REDIRECTS = 30
WHO = "Kubeflow's login"
# Addresses of Dex, oauth2-proxy and authservice: whoever stands there has not arrived.
_WAY = ("/dex/", "/oauth2/", "/authservice/", "/login/oidc")
_OTHER_PROVIDER = "check `host`; with another identity provider than Dex, use another `type` under `auth`"


class Visit:
    """One walk.

    Attributes:
        began: whether the host has asked for a login.
        cookies_at_the_end: the names of the cookies that the host set when Dex had led back to it.
    """

    def __init__(self, requests: Requests, host: str, username: str, password: str, connector: str) -> None:
        self.requests = requests
        self.host = host
        self.username = username
        self.connector = connector
        self.began = False
        self.cookies_at_the_end: set[str] = set()
        self._password = password
        self._told: tuple[str, str] | None = None
        self._returned = self._led_back = False
        self._login: str | None = None
        self._callback: str | None = None

    def log_in(self) -> None:
        """Go on from page to page until there is nothing left to fill in.

        Raises:
            AuthError: Dex refuses the user, a page is none that we know, or the way leads to somebody else.
            ServerError: somebody on the way does not answer, or breaks down.
        """
        answer = self._get(self.host)
        for _ in range(MOST_PAGES):
            step = self._next_step(answer, read_page(answer.text, answer.url))
            if step is None:
                return self._check_end(answer)
            answer = step()
        raise AuthError(f"The login does not end after {MOST_PAGES} pages", where=address(answer.url))

    # From page to page

    def _next_step(self, answer: Any, page: Page) -> Callable[[], Any] | None:
        if self._returned and not self._on_the_way(answer.url) and answer.status_code not in (401, 403):
            # A page of the host's own: whatever forms it has are none of ours.
            return None
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
            if form.password_field and self._told in (None, _place_of(form)):
                return lambda: self._identify(form, form.password_field or "")
        if answer.status_code in (401, 403) and not self.began and not _is_start(answer.url):
            # An oauth2-proxy that shows no page; KFP's documentation goes the same way.
            return lambda: self._get(f"{_base(answer.url)}/oauth2/start?rd=%2F")
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
                cure="set `connector` under `auth` to one that takes a user name and a password; `auth: browser` takes "
                "the others",
            )
        return connectors[self.connector]

    def _identify(self, form: Form, password_field: str) -> Any:
        if self._told and self._led_back:
            # It led back: the password was accepted, but the host knew nothing of it afterwards.
            raise not_kept(self.requests.session, self.host)
        if self._told:
            raise AuthError(
                f"Dex refuses the user {self.username!r}, or the password",
                where=address(form.action),
                cure="check DEX_USERNAME and DEX_PASSWORD (or `username` and `password` under `auth`) and `connector`",
            )
        self._refuse_to_tell(form)
        self._told, self.began = _place_of(form), True
        values = {**form.fields, form.user_field or "login": self.username, password_field: self._password}
        return self._follow(self.requests.post(form.action, values, WHO), form.action, values)

    def _submit(self, form: Form) -> Any:
        if form.method == "GET":
            return self._get(form.action, params=form.fields)
        self._check(form.action)
        return self._follow(self.requests.post(form.action, form.fields, WHO), form.action, form.fields)

    def _get(self, url: str, **more: Any) -> Any:
        self._check(url)
        return self._follow(self.requests.get(url, WHO, headers={"Accept": "text/html,*/*"}, **more), url, None)

    def _follow(self, answer: Any, asked: str, form: dict[str, str] | None) -> Any:
        """The first answer that leads no further; each address on the way is checked."""
        for _ in range(MOST_REDIRECTS):
            target = redirected(answer)
            self._note_cookies(answer)
            if target is None:
                return answer
            target = self._on_this_machine(target)
            self._note(answer, target)
            self._check(target)
            keeps_form = form is not None and answer.status_code in (307, 308)
            if keeps_form and form is not None:
                self._refuse_to_repeat(asked, target)
                answer = self.requests.post(target, form, WHO)
            else:
                form = None
                answer = self.requests.get(target, WHO, headers={"Accept": "text/html,*/*"})
        raise ServerError(f"{WHO} redirects in circles", where=address(answer.url), cure="check `host` in kubeflow.yml")

    # Who may be asked, and told

    def _check(self, url: str) -> None:
        """Raise where an address is none that belongs to this login."""
        here, there = urlsplit(self.host), urlsplit(url)
        if there.scheme not in ("http", "https") or not there.hostname:
            raise AuthError("The login leads to an address that is none", where=address(url), cure=_OTHER_PROVIDER)
        if here.scheme == "https" and there.scheme != "https":
            raise AuthError(
                "The login leads from https:// to http://, where everybody can read it",
                where=address(url),
                cure="ask the administrator to serve Dex by https://",
            )
        if origin(url) in (origin(self.host), self._login):
            return
        if there.hostname == here.hostname and there.scheme == "https" and here.scheme == "http":
            own = f"{_base(url)}{here.path}"
            raise AuthError("The server wants TLS", where=self.host, cure=f"write {own} under `host`")
        raise AuthError(
            "The login leads to another host, which neither `host` nor its login is: nothing is sent there",
            where=address(url),
            cure=f"if that is Kubeflow's own address, write {_base(url)}{here.path} under `host`; if it is the login of "
            "another identity provider than Dex, use another `type` under `auth`, such as `browser`",
        )

    def _note(self, answer: Any, target: str) -> None:
        """Remember whom the host itself has announced as its login, and where that shall lead back to."""
        query = parse_qs(urlsplit(target).query)
        if origin(answer.url) == origin(self.host) and {"client_id", "redirect_uri"} <= query.keys():
            # Kubeflow's own oauth2-proxy names the way back without a host.
            self._callback = self._on_this_machine(joined(target, query["redirect_uri"][0]))
            self._login, self.began, self._returned = origin(target), True, False
            self._refuse_foreign_callback(self._callback)
        elif self._callback and _same_place(target, self._callback):
            if "error" in query:
                raise _oauth_error(query, target)
            self._returned = self._led_back = True

    def _note_cookies(self, answer: Any) -> None:
        """Remember the cookies that came with the host's answers since the login led back."""
        if self._arrived and origin(answer.url) == origin(self.host):
            self.cookies_at_the_end |= {cookie.name for cookie in answer.cookies if cookie.value}

    @property
    def _arrived(self) -> bool:
        """Whether the login led back; a door of its own kind, without an authorization request, says it nowhere."""
        return self._returned or (self._told is not None and self._callback is None)

    def _on_this_machine(self, url: str) -> str:
        """Through a port-forward, the proxy believes itself behind TLS; the port that is forwarded has none."""
        here, there = urlsplit(self.host), urlsplit(url)
        if (
            here.scheme == "http"
            and is_loopback(here.hostname)
            and (there.scheme, there.netloc) == ("https", here.netloc)
        ):
            return urlunsplit(there._replace(scheme="http"))
        return url

    def _refuse_foreign_callback(self, callback: str) -> None:
        if origin(callback) == origin(self.host):
            return
        here, there = urlsplit(self.host), urlsplit(callback)
        cure = f"write {_base(callback)}{here.path} under `host`"
        if here.scheme == "https" and there.scheme == "http":
            cure = "ask its administrator for oauth2-proxy's `redirect_url` with https://"
        raise AuthError(
            f"The login would lead back to {_base(callback)}, and not to `host`: its session would be for that address",
            where=self.host,
            cure=cure,
        )

    def _refuse_to_tell(self, form: Form) -> None:
        """Raise where the password would go to somebody whom it is not meant for."""
        self._check(form.action)
        target = urlsplit(form.action)
        named = re.search(r"/auth/([^/]+)(?:/|$)", target.path)
        if origin(form.action) == origin(self.host) or (named and named[1] == self.connector):
            return
        if named:
            raise AuthError(
                f"Dex, on a host of its own, logs in with the connector {named[1]!r}, and `connector` is {self.connector!r}",
                where=address(form.action),
                cure=f"if the password is meant for that, set `connector: {named[1]}` under `auth`",
            )
        raise AuthError(
            "The login leads to another host, and to no login of Dex: the password is not sent there",
            where=address(form.action),
            cure=_OTHER_PROVIDER,
        )

    def _refuse_to_repeat(self, asked: str, target: str) -> None:
        """A form's content goes to where its page has sent it, and nowhere else."""
        if origin(asked) != origin(target):
            raise AuthError(
                "The login wants its form sent on to another address: it is not sent there",
                where=address(target),
                cure="check `host`, and with its administrator why Dex redirects there",
            )

    # The end

    def _on_the_way(self, url: str) -> bool:
        return origin(url) != origin(self.host) or any(part in urlsplit(url).path + "/" for part in _WAY)

    def _check_end(self, answer: Any) -> None:
        page = read_page(answer.text, answer.url)
        said = redacted(page.words)
        here = not self._on_the_way(answer.url)
        if answer.status_code >= 500 and not (self._arrived and here):
            raise ServerError(
                f"The login fails with HTTP {answer.status_code} {said or answer.reason}",
                where=address(answer.url),
                cure="try again later",
            )
        if not self.began and here and answer.status_code < 400:
            return
        if self._arrived and origin(answer.url) == origin(self.host):
            refused = answer.status_code in (401, 403) and not self.cookies_at_the_end
            if not refused and (here or answer.status_code < 400):
                return
        raise self._no_end(answer, page, said)

    def _no_end(self, answer: Any, page: Page, said: str) -> AuthError:
        quoted = f": {said}" if said else ""
        if _insecure(self.host) and self._returned and any(c.secure for c in self.requests.session.cookies):
            what, cure = f"The login's cookies are for https:// only{quoted}", "write https:// under `host`"
        elif self._returned and answer.status_code in (401, 403):
            what = f"Dex accepted the login, and the host answers with HTTP {answer.status_code}{quoted}"
            cure = "ask its administrator whether this user is let in (oauth2-proxy's groups and e-mail domains)"
        elif self._told:
            what = f"The login ends at a page that is not its end: {redacted(page.title) or 'untitled'}{quoted}"
            cure = (
                "a second factor, or a consent, wants a person: set `type: browser` under `auth`, or a service account"
            )
        else:
            status = f"with HTTP {answer.status_code} " if answer.status_code >= 400 else ""
            what, cure = f"The login ends {status}at a page without a form that we know{quoted}", _OTHER_PROVIDER
        return AuthError(what, where=address(answer.url), cure=cure)


def not_kept(session: Any, host: str) -> AuthError:
    """The password was accepted, and the host knows nothing of it afterwards."""
    secure = _insecure(host) and any(cookie.secure for cookie in session.cookies)
    return AuthError(
        "Dex accepted the login, but the host keeps no session"
        + (": its cookie is for https:// only" if secure else ""),
        where=host,
        cure="write https:// under `host`" if secure else "check that `host` is the address that the login belongs to",
    )


def _place_of(form: Form) -> tuple[str, str]:
    """What tells the form that was filled in from another one, such as that for a second factor."""
    return urlsplit(form.action).path, form.password_field or ""


def _oauth_error(query: dict[str, list[str]], target: str) -> AuthError:
    """RFC 6749, 4.1.2.1: the login leads back with an error in place of a code."""
    code = redacted(query["error"][0])
    reason = redacted(query.get("error_description", [""])[0])
    return AuthError(
        f"The login was refused: {code}" + (f": {reason}" if reason else ""),
        where=address(target),
        cure="check `connector` under `auth`, and with its administrator what Dex grants to this user",
    )


def _same_place(url: str, callback: str) -> bool:
    return origin(url) == origin(callback) and urlsplit(url).path == urlsplit(callback).path


def _insecure(host: str) -> bool:
    parts = urlsplit(host)
    return parts.scheme == "http" and not is_loopback(parts.hostname)


def _is_start(url: str) -> bool:
    return urlsplit(url).path.endswith("/oauth2/start")


def _base(url: str) -> str:
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))
