"""Who stands before the server and wants a login, and what to write into `auth` for it."""

from __future__ import annotations

from urllib.parse import unquote

from kedro_kubeflow.auth.credentials.redaction import redacted
from kedro_kubeflow.auth.kubeflow.answer import Answer
from kedro_kubeflow.auth.kubeflow.html_forms import read_page

IAP, DEX, OAUTH2_PROXY, AUTHSERVICE = "Google Identity-Aware Proxy", "Dex", "oauth2-proxy", "authservice"
KEYCLOAK, ENTRA, OKTA, COGNITO = "Keycloak", "Microsoft Entra ID", "Okta", "Amazon Cognito"
# The most specific first: a redirect to Dex says in its query to whom it will lead back.
_PLACES = {
    "accounts.google.com": IAP,
    "/oauth2/callback": OAUTH2_PROXY,
    "/authservice/": AUTHSERVICE,
    "/login/oidc": AUTHSERVICE,
    "/oauth2/start": OAUTH2_PROXY,
    "/oauth2/sign_in": OAUTH2_PROXY,
    "/dex/": DEX,
    "login.microsoftonline.com": ENTRA,
    "/protocol/openid-connect/auth": KEYCLOAK,
    ".okta.com": OKTA,
    ".amazoncognito.com": COGNITO,
}
_DEX = (
    "set `type: dex` under `auth`, and DEX_USERNAME and DEX_PASSWORD, where Dex takes a user name and a password; "
    "`type: browser` where a person logs in otherwise; `type: kubernetes` for a service account"
)
LOGIN_ELSEWHERE = (
    "set `type: browser` under `auth` (a person), `type: oidc` (a client of one's own, for machines) or "
    "`type: kubernetes` (a service account)"
)
CURES = {
    IAP: "set `type: iap` and the proxy's `client_id` under `auth` (or IAP_CLIENT_ID); the identity needs "
    "roles/iap.httpsResourceAccessor",
    DEX: _DEX,
    OAUTH2_PROXY: f"{_DEX}; a cookie may have expired",
    AUTHSERVICE: f"{_DEX}; a cookie may have expired",
    KEYCLOAK: LOGIN_ELSEWHERE,
    ENTRA: LOGIN_ELSEWHERE,
    OKTA: LOGIN_ELSEWHERE,
    COGNITO: LOGIN_ELSEWHERE,
}
FRONT_CURE = "check `auth` in kubeflow.yml, and that `host` is the address of the API"
"""Where it is not known who stands there."""


def login_wanted_by(answer: Answer) -> str | None:
    """Who wants a login instead of answering; None where it is an answer."""
    if "x-goog-iap-generated-response" in answer.headers:
        return IAP
    if place := place_of(answer.location) or place_of(answer.url):
        return place
    if not answer.is_html or 300 <= answer.status < 400:
        return None
    return _of_page(answer)


def place_of(url: str) -> str | None:
    """Whose login an address belongs to, if it is known."""
    return next((who for sign, who in _PLACES.items() if sign in unquote(url)), None)


def scheme_cure(answer: Answer) -> str | None:
    """What to write for the scheme that an answer asks for (RFC 9110, 11.6.1)."""
    scheme = answer.headers.get("www-authenticate", "").split(" ")[0].lower()
    if scheme == "basic":
        return "set `type: basic`, with `username` and `password`, under `auth`"
    if scheme == "bearer":
        return "set `type: bearer` and its `token`, or `type: kubernetes`, under `auth`"
    return f"the server asks for {scheme!r}, for which a class of your own is needed under `auth`" if scheme else None


def _of_page(answer: Answer) -> str | None:
    page = read_page(answer.body, answer.url)
    for target in (*(form.action for form in page.forms), *page.links):
        if place := place_of(target):
            return place
    if "oauth2 proxy" in answer.body.lower():
        return OAUTH2_PROXY
    if any(form.password_field for form in page.forms):
        return DEX if "dex" in page.title.lower() else f"A login page ({redacted(page.title) or 'untitled'})"
    return None
