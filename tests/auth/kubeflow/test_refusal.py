from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
import urllib3

from auth.kubeflow_stand_in import kubeflow
from auth.loopback import Response, as_html, as_json, redirect, serving
from kedro_kubeflow.auth.kubeflow import Answer, authenticated, refuse_login_page
from kedro_kubeflow.auth.kubeflow.none import NoCredentials
from kedro_kubeflow.auth.kubeflow.permission import PermissionDenied
from kedro_kubeflow.errors import AuthError

HTML = {"content-type": "text/html"}
KEYCLOAK = "https://id.example.com/realms/team/protocol/openid-connect/auth?client_id=kubeflow&state=sesame"


def by_requests(url: str) -> Any:
    return requests.get(url, timeout=10)


def by_requests_not_following(url: str) -> Any:
    return requests.get(url, timeout=10, allow_redirects=False)


def by_urllib3(url: str) -> Any:
    return urllib3.PoolManager().request("GET", url)


def by_kfp(url: str) -> Any:
    """As KFP's generated client meets it: an answer, or an error that holds one."""
    from kfp_server_api import ApiClient, ApiException, Configuration

    client = ApiClient(Configuration(host=url))
    try:
        return client.rest_client.GET(url)
    except ApiException as error:
        return error


CLIENTS = [by_requests, by_requests_not_following, by_urllib3, by_kfp]


@pytest.mark.parametrize("get", CLIENTS)
@pytest.mark.parametrize("guard", ["oauth2-proxy", "authservice"])
def test_dexs_door_is_recognised_however_it_is_met(get: Callable[[str], Any], guard: str) -> None:
    with kubeflow(guard=guard) as door, pytest.raises(AuthError, match="wants a login instead") as error:
        refuse_login_page(get(f"{door.url}/pipeline/apis/v2beta1/experiments"))
    assert str(error.value).split()[0] in (guard, "Dex")
    assert "DEX_USERNAME" in str(error.value) or "`type: dex`" in str(error.value)
    assert "state=" not in str(error.value)


@pytest.mark.parametrize("get", CLIENTS)
def test_the_sign_in_page_of_oauth2_proxy(get: Callable[[str], Any]) -> None:
    with kubeflow(greeting="page") as door, pytest.raises(AuthError, match="oauth2-proxy wants a login"):
        refuse_login_page(get(f"{door.url}/pipeline/apis/v2beta1/experiments"))


@pytest.mark.parametrize("get", CLIENTS)
@pytest.mark.parametrize(
    "answer",
    [
        as_json({"experiments": []}),
        as_json({"message": "no such thing"}, 404),
        as_json({"message": "not yours"}, 403),
        as_html("<title>Kubeflow Central Dashboard</title><a href='/logout'>x</a>"),
        as_html("<title>502 Bad Gateway</title>", 502),
        Response(200, b"apiVersion: v1"),
    ],
)
def test_what_is_no_login_page_is_let_through(get: Callable[[str], Any], answer: Response) -> None:
    with serving(lambda _: answer) as url:
        refuse_login_page(get(url))
    assert answer.status


@pytest.mark.parametrize(
    ("answer", "who"),
    [
        (Answer(302, {"location": "https://accounts.google.com/o/oauth2"}), "Google Identity-Aware Proxy"),
        (Answer(401, {"x-goog-iap-generated-response": "true"}, "Invalid"), "Google Identity-Aware Proxy"),
        (Answer(200, HTML, "<html>", "https://accounts.google.com/v3/signin"), "Google Identity-Aware Proxy"),
        (Answer(302, {"location": KEYCLOAK}), "Keycloak"),
        (Answer(302, {"location": "https://login.microsoftonline.com/t/oauth2"}), "Microsoft Entra ID"),
        (Answer(200, {}, "<!DOCTYPE html><title>Log in to dex</title><form><input name=p type=password>"), "Dex"),
        (Answer(200, HTML, "<title>Acme SSO</title><form><input name=p type=password>"), "A login page (Acme SSO)"),
        (Answer(200, HTML, "<form><input name=p type=password>"), "A login page (untitled)"),
        (Answer(403, HTML, "<p>Secured with OAuth2 Proxy version 7</p>"), "oauth2-proxy"),
    ],
)
def test_who_wants_the_login(answer: Answer, who: str) -> None:
    with pytest.raises(AuthError) as error:
        refuse_login_page(answer)
    assert str(error.value).startswith(f"{who} wants a login")
    assert "sesame" not in str(error.value)
    assert error.value.cure


def test_redirects_that_are_no_login() -> None:
    refuse_login_page(Answer(301, {"location": "https://kubeflow.example.com/pipeline/"}))
    with serving(lambda r: redirect("/there") if r.path == "/" else as_json({})) as url:
        refuse_login_page(by_requests(url))
        assert by_requests(url).json() == {}


class Flaky:
    """Credentials that are accepted from the second on, if renewed."""

    def __init__(self, *, renewable: bool) -> None:
        self.renewable = renewable
        self.renewals = 0

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.renewals}"}

    def renew(self) -> bool:
        self.renewals += self.renewable
        return self.renewable


@pytest.mark.parametrize("refusal", [as_json({}, 401), as_json({}, 403), redirect(KEYCLOAK)])
def test_a_refused_request_is_sent_again_once_with_renewed_credentials(refusal: Response) -> None:
    seen: list[str] = []

    def door(request: Any) -> Response:
        seen.append(request.headers["authorization"])
        return as_json({"ok": True}) if request.headers["authorization"] == "Bearer 1" else refusal

    with serving(door) as url:

        def send(headers: dict[str, str]) -> Any:
            return requests.post(url, headers=headers, allow_redirects=False, timeout=10)

        assert authenticated(Flaky(renewable=True), send).json() == {"ok": True}
        assert seen == ["Bearer 0", "Bearer 1"]
        seen.clear()
        with pytest.raises(AuthError, match="does not accept the credentials"):
            authenticated(Flaky(renewable=False), send)
        assert seen == ["Bearer 0"]


def test_a_refusal_for_want_of_permission_is_final() -> None:
    """The credentials were accepted: others of the same kind would not help."""
    said = {"code": 7, "message": "User is not authorized with reason: no access to team-a", "token": "sesame"}
    who = Flaky(renewable=True)
    with serving(lambda _: as_json(said, 403)) as url, pytest.raises(PermissionDenied) as error:
        authenticated(who, lambda headers: requests.get(url, headers=headers, timeout=10))
    text = str(error.value)
    assert "Kubeflow Pipelines does not let you: User is not authorized with reason: no access to team-a" in text
    assert "check `namespace`" in text
    assert "sesame" not in text
    assert who.renewals == 0


def test_other_failures_are_the_callers() -> None:
    with serving(lambda _: as_json({}, 500)) as url:
        assert authenticated(NoCredentials(), lambda _: requests.get(url, timeout=10)).status_code == 500
