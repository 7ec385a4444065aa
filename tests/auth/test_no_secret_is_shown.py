"""One secret, planted wherever one may be given, and looked for in logs, errors and representations."""

from __future__ import annotations

import base64
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from auth import jwt
from auth.kubeflow_stand_in import USER, kubeflow
from auth.loopback import Request, Response, as_json, serving
from kedro_kubeflow.auth.kubeflow import AuthProvider, authenticated, from_config
from kedro_kubeflow.config.auth import (
    AuthConfig,
    BasicAuth,
    BearerAuth,
    CookieAuth,
    DexAuth,
    KubernetesAuth,
    OidcAuth,
    Secret,
)
from kedro_kubeflow.errors import KedroKubeflowError

CANARY = "canary-6f1c0b7e"
# As it stands in headers and forms.
FORMS = (CANARY, base64.b64encode(f"me:{CANARY}".encode()).decode(), base64.b64encode(f"c:{CANARY}".encode()).decode())
ENV = {"CANARY": CANARY, "DEX_USERNAME": USER, "DEX_PASSWORD": CANARY}
Make = Callable[[str, Path], AuthConfig]


def in_env() -> Secret:
    return Secret(env="CANARY")


def in_file(folder: Path) -> Secret:
    (folder / "secret").write_text(CANARY)
    return Secret(file=str(folder / "secret"))


def by_command(_: Path) -> Secret:
    return Secret(command=(sys.executable, "-S", "-c", f"print({CANARY!r})"))


def failing_command(_: Path) -> Secret:
    return Secret(command=(sys.executable, "-S", "-c", f"print({CANARY!r}); raise SystemExit(1)"))


def mounted(folder: Path) -> KubernetesAuth:
    return KubernetesAuth(type="kubernetes", path=in_file(folder).file)


def oidc(url: str, client_auth: Any) -> OidcAuth:
    return OidcAuth(
        type="oidc", token_url=f"{url}/token", client_id="c", client_secret=in_env(), client_auth=client_auth
    )


CONFIGS: dict[str, Make] = {
    "bearer, variable": lambda _url, _folder: BearerAuth(type="bearer", token=in_env()),
    "bearer, file": lambda _url, folder: BearerAuth(type="bearer", token=in_file(folder)),
    "bearer, command": lambda _url, folder: BearerAuth(type="bearer", token=by_command(folder)),
    "bearer, failing command": lambda _url, folder: BearerAuth(type="bearer", token=failing_command(folder)),
    "basic": lambda _url, _folder: BasicAuth(type="basic", username="me", password=in_env()),
    "cookie": lambda _url, _folder: CookieAuth(type="cookie", value=in_env(), name="session"),
    "kubernetes": lambda _url, folder: mounted(folder),
    "dex": lambda _url, _folder: DexAuth(type="dex"),
    "oidc, basic": lambda url, _folder: oidc(url, "basic"),
    "oidc, post": lambda url, _folder: oidc(url, "post"),
}


@pytest.fixture
def all_logs(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


def answer_that_quotes(request: Request) -> Response:
    """A server that refuses, and tells everything that it was sent."""
    if request.path == "/token":
        return as_json({"error": "invalid_client", "error_description": "no", "you sent": request.body.decode()}, 400)
    said = " ".join(request.headers.get(name, "") for name in ("authorization", "cookie"))
    if request.path == "/plain":
        return Response(401, f"unauthorized: {said}".encode())
    return as_json({"error": "unauthorized", "message": f"unknown: {said}"}, 401)


def assert_hidden(*texts: str) -> None:
    for text in texts:
        assert not [form for form in FORMS if form in text], text


@pytest.mark.parametrize("path", ["/json", "/plain"])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_refused_secret(name: str, path: str, tmp_path: Path, all_logs: pytest.LogCaptureFixture) -> None:
    with serving(answer_that_quotes) as url, kubeflow() as door:
        host = door.url if name == "dex" else url
        config = CONFIGS[name](url, tmp_path)
        provider = from_config(config, host=host, env=ENV)
        with pytest.raises(KedroKubeflowError) as error:
            authenticated(provider, lambda headers: requests.get(host + path, headers=headers, timeout=10))
    trace = "".join(traceback.format_exception(error.value))
    # The source lines of this test hold no secret; the values of variables are not in a traceback.
    assert_hidden(str(error.value), repr(error.value), repr(provider), repr(config), str(config), trace, all_logs.text)


@pytest.mark.parametrize("name", [n for n in CONFIGS if not n.startswith(("dex", "oidc", "bearer, failing"))])
def test_an_accepted_secret(name: str, tmp_path: Path, all_logs: pytest.LogCaptureFixture) -> None:
    with serving(lambda _: as_json({})) as url:
        provider: AuthProvider = from_config(CONFIGS[name](url, tmp_path), host=url, env=ENV)
        sent = "".join(provider.headers().values())
        assert any(form in sent for form in FORMS)
        assert authenticated(provider, lambda headers: requests.get(url, headers=headers, timeout=10)).ok
    assert_hidden(repr(provider), all_logs.text)


def test_what_looks_like_a_secret_in_a_foreign_message_is_taken_out() -> None:
    from kedro_kubeflow.auth.credentials.redaction import redacted

    token = jwt.sign({"exp": 1}, jwt.key_of("issuer"))
    text = (
        f"denied for Bearer {token} and ya29.abc-DEF_1\n of my-bot@my-project-123456.iam.gserviceaccount.com {'k' * 40}"
    )
    said = "denied for Bearer [redacted] and [redacted] of my-bot@my-project-123456.iam.gserviceaccount.com [redacted]"
    assert redacted(text) == said
    assert redacted("-----BEGIN PRIVATE KEY----- MIIE") == "[redacted]"
    # The beginning and the end are kept: what was done, and why not.
    assert len(redacted("word " * 200 + "end")) <= 400
    assert redacted("begin " + "word " * 200 + "end").startswith("begin word")
    assert redacted("begin " + "word " * 200 + "end").endswith("word end")


@pytest.mark.parametrize(
    ("run", "kept"),
    [
        ("c4894a59-6bbc-405d-aa1f-60e88047e77f", True),
        ("smoke-zgqf7-system-container-impl-2259283791", True),
        ("ReconcileServiceAccountTokenController", True),
        ("projects_team_a_pipelines_training_v2", True),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", False),
        ("q2w3E4r5T6y7U8i9O0pAsDfGhJkLzXcVbNm-_12", False),
        ("djE6MTpzb21lLXNlc3Npb24tY29va2llLXZhbHVl=", False),
        ("k" * 40, False),
    ],
)
def test_ids_and_long_names_are_no_secrets(run: str, kept: bool) -> None:
    from kedro_kubeflow.auth.credentials.redaction import redacted

    assert redacted(f"of {run} here") == (f"of {run} here" if kept else "of [redacted] here")
