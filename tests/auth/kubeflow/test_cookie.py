from __future__ import annotations

from typing import Any

import pytest
import requests

from auth.loopback import Request, Response, as_json, serving
from kedro_kubeflow.auth.kubeflow import AuthProvider, authenticated, from_config
from kedro_kubeflow.config.auth import BearerAuth, CookieAuth, Secret
from kedro_kubeflow.errors import AuthError
from kedro_kubeflow.targets.kubeflow import connect
from kedro_kubeflow.targets.kubeflow.connection import Patience

HOST = "https://kubeflow.example.com"


def cookie(value: str, **config: Any) -> AuthProvider:
    described = CookieAuth(type="cookie", value=Secret(env="COOKIE"), **config)
    return from_config(described, host=HOST, env={"COOKIE": value})


@pytest.mark.parametrize(
    ("pasted", "name", "sent"),
    [
        ("s3cret", "session", "session=s3cret"),
        ("session=s3cret", "session", "session=s3cret"),
        ("session_0=s3; session_1=cret", "session", "session_0=s3; session_1=cret"),
        ("Cookie: session=s3cret; a=b", None, "session=s3cret; a=b"),
        ("cookie:session=s3cret", "session", "session=s3cret"),
        ("a=b;c=d", None, "a=b; c=d"),
        ("dG9rZW4=", "session", "session=dG9rZW4="),
    ],
)
def test_a_cookie_as_it_is_copied(pasted: str, name: str | None, sent: str) -> None:
    assert cookie(pasted, name=name).headers() == {"Cookie": sent}


@pytest.mark.parametrize("pasted", ["Authorization: Bearer t", "authorization:Bearer t", "Bearer t", "t"])
def test_a_token_as_it_is_copied(pasted: str) -> None:
    described = BearerAuth(type="bearer", token=Secret(env="TOKEN"))
    provider = from_config(described, host=HOST, env={"TOKEN": pasted})
    assert provider.headers() == {"Authorization": "Bearer t"}


def test_a_renewed_cookie_is_taken_over() -> None:
    """As oauth2-proxy renews its own with `cookie_refresh`."""
    seen: list[str] = []

    def server(request: Request) -> Response:
        seen.append(request.headers["cookie"])
        first = ("session=new; Path=/; Expires=Wed, 09 Jun 2027 10:18:14 GMT", "other=x; Path=/", "b=; Max-Age=0")
        return Response(200, b"{}", {"Content-Type": "application/json"}, first if len(seen) == 1 else ())

    provider = cookie("session=old; b=c")
    with serving(server) as url:
        for _ in range(2):
            authenticated(provider, lambda headers: requests.get(url, headers=headers, timeout=10))
    assert seen == ["session=old; b=c", "session=new; b=c"]


def test_credentials_that_can_be_renewed_are_not_renewed_at_every_try() -> None:
    class Renewable:
        renewals = 0

        def headers(self) -> dict[str, str]:
            return {"Authorization": f"Bearer {self.renewals}"}

        def renew(self) -> bool:
            self.renewals += 1
            return True

    who = Renewable()
    with serving(lambda _: Response(403)) as url:
        client = connect(url, namespace="x", credentials=who, patience=Patience(pauses=(0.01, 0.01)))
        with pytest.raises(AuthError, match="does not accept the credentials"):
            list(client.runs.list(limit=1))
    assert who.renewals == 1


@pytest.mark.parametrize("away", [2, 99])
def test_a_guard_that_is_away_for_a_moment(away: int) -> None:
    """A gateway that cannot ask its guard refuses everybody, with an empty 403."""
    refusals = iter(range(away))

    def gateway(_: Request) -> Response:
        return Response(403) if next(refusals, None) is not None else as_json({"runs": []})

    with serving(gateway) as url:
        client = connect(url, namespace="x", credentials=cookie("a=b"), patience=Patience(pauses=(0.01, 0.01)))
        if away == 2:
            assert list(client.runs.list(limit=1)) == []
            return
        with pytest.raises(AuthError, match=r"does not accept the credentials \(the cookie from"):
            list(client.runs.list(limit=1))
