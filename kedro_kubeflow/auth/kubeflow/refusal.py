"""Answers that want a login: recognised for what they are, and told as an error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from kedro_kubeflow.auth.credentials.provider import AuthProvider
from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.auth.kubeflow.html_forms import read_page
from kedro_kubeflow.errors import AuthError

R = TypeVar("R")


@dataclass(frozen=True)
class Answer:
    """What of an HTTP answer says who gave it.

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


IAP, DEX, OAUTH2_PROXY, AUTHSERVICE = "Google Identity-Aware Proxy", "Dex", "oauth2-proxy", "authservice"
# The most specific first: a redirect to Dex says in its query to whom it will lead back.
_PLACES = {
    "accounts.google.com": IAP,
    "/oauth2/callback": OAUTH2_PROXY,
    "/authservice/": AUTHSERVICE,
    "/login/oidc": AUTHSERVICE,
    "/oauth2/start": OAUTH2_PROXY,
    "/oauth2/sign_in": OAUTH2_PROXY,
    "/dex/": DEX,
    "login.microsoftonline.com": "Microsoft Entra ID",
    "/protocol/openid-connect/auth": "Keycloak",
}
_CURES = {
    IAP: "set `type: iap` and the proxy's `client_id` under `auth` (or IAP_CLIENT_ID); the identity needs "
    "roles/iap.httpsResourceAccessor",
    DEX: "set `type: dex` under `auth`, and DEX_USERNAME and DEX_PASSWORD",
    OAUTH2_PROXY: "set `type: dex`, or `type: kubernetes` for a service account, under `auth`; a cookie may have expired",
    AUTHSERVICE: "set `type: dex` under `auth`, and DEX_USERNAME and DEX_PASSWORD; a cookie may have expired",
}
_ANY = "check `auth` in kubeflow.yml, and that `host` is the address of the API"


def login_wanted_by(answer: Answer) -> str | None:
    """Who wants a login instead of answering; None where it is an answer."""
    if "x-goog-iap-generated-response" in answer.headers:
        return IAP
    if place := _place(answer.location) or _place(answer.url):
        return place
    if not answer.is_html or 300 <= answer.status < 400:
        return None
    return _of_page(answer)


def refuse_login_page(response: Any) -> None:
    """Raise where an answer is a login page, or a redirect to one, instead of what was asked for.

    Args:
        response: an answer of requests, urllib3 or ``kfp_server_api``, or an `Answer`.

    Raises:
        AuthError: says whose page it is and what to check.
    """
    answer = response if isinstance(response, Answer) else Answer.of(response)
    if who := login_wanted_by(answer):
        raise AuthError(
            f"{who} wants a login instead of letting the request through",
            where=_address(answer.location or answer.url) or None,
            cure=_CURES.get(who, _ANY),
        )


def is_refused(answer: Answer) -> bool:
    """Whether other credentials might help."""
    return answer.status in (401, 403) or login_wanted_by(answer) is not None


def authenticated(provider: AuthProvider, send: Callable[[dict[str, str]], R]) -> R:
    """An answer that credentials were accepted for: renewed once where they are refused.

    Sending twice does no harm: a refused request has not been carried out.

    Args:
        send: sends a request with these headers beside its own, and gives what `Answer.of` takes.

    Raises:
        AuthError: says what was refused, by whom, and what to check.
    """
    response = send(headers := provider.headers())
    if is_refused(Answer.of(response)) and provider.renew():
        response = send(headers := provider.headers())
    answer = Answer.of(response)
    if is_refused(answer):
        raise refusal(answer, provider, headers)
    return response


def refusal(answer: Answer, provider: AuthProvider, sent: Mapping[str, str]) -> AuthError:
    """What was refused, by whom, and what to check.

    Args:
        sent: the provider's headers; servers may quote them, this error does not.
    """
    who = login_wanted_by(answer)
    said = "" if answer.is_html else redacted(_message(answer), *_parts(sent))
    what = f"{who or 'The server'} does not accept the credentials ({provider!r}): HTTP {answer.status}"
    cure = _CURES.get(who or "", _ANY)
    if answer.status == 403 and not who:
        cure = "the server knows this identity, but does not let it: ask for access to the namespace; check `namespace`"
    return AuthError(f"{what} {said}".rstrip(), where=_address(answer.url) or None, cure=cure)


def _place(url: str) -> str | None:
    return next((who for sign, who in _PLACES.items() if sign in unquote(url)), None)


def _of_page(answer: Answer) -> str | None:
    page = read_page(answer.body, answer.url)
    for target in (*(form.action for form in page.forms), *page.links):
        if place := _place(target):
            return place
    if "oauth2 proxy" in answer.body.lower():
        return OAUTH2_PROXY
    if any(form.password_field for form in page.forms):
        return DEX if "dex" in page.title.lower() else f"A login page ({redacted(page.title) or 'untitled'})"
    return None


def _message(answer: Answer) -> str:
    try:
        said = json.loads(answer.body)
    except ValueError:
        return answer.body
    if not isinstance(said, dict):
        return ""
    return str(said.get("message") or said.get("error_message") or said.get("error") or "")


def _parts(sent: Mapping[str, str]) -> list[str]:
    """The headers' values, whole and without scheme or cookie name."""
    whole = list(sent.values())
    return [*whole, *(part for value in whole for part in re.split(r"[ ;]+|(?<=\w)=(?=.)", value) if len(part) > 3)]


def _address(url: str) -> str:
    """Without the query, which carries states and codes."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else parts.path
