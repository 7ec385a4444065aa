"""What users read where a real multi-user KFP 2.17.0 said no: its recorded answers, replayed over a socket."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from auth.loopback import Request, Response, as_json, redirect, serving
from golden_file import check_golden

from kedro_kubeflow.auth.credentials.bearer import BearerToken
from kedro_kubeflow.auth.credentials.secret import source_of
from kedro_kubeflow.config.auth import Secret
from kedro_kubeflow.config.kubeflow import read_config
from kedro_kubeflow.errors import KedroKubeflowError, ServerError
from kedro_kubeflow.targets.kubeflow import KubeflowClient, connect
from kedro_kubeflow.targets.kubeflow.connection import Patience
from kedro_kubeflow.targets.kubeflow.findings import server_findings
from kedro_kubeflow.targets.kubeflow.rights import Rights, rights, user_of

RECORDED = Path(__file__).parents[2] / "kfp_server" / "recorded" / "multi-user"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"
UPLOADS = "/apis/v2beta1/pipelines/upload"


def recorded(name: str) -> Response:
    status, _, kind = (RECORDED / f"{name}.json.status").read_text().strip().partition(" ")
    return Response(int(status), (RECORDED / f"{name}.json").read_bytes(), {"Content-Type": kind})


def refused() -> list[tuple[str, str, str, str]]:
    """Name, who asked, method and path of every recorded refusal of the API."""
    with (RECORDED / "INDEX.tsv").open() as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    api = [row for row in rows if row[5] in ("401", "403") and not row[1].startswith("ui")]
    return [(name, who, method, path) for name, who, method, path, _, _ in api]


@dataclass(frozen=True)
class Demo:
    """A compiled pipeline, as far as an upload looks at it."""

    name: str = "demo"
    display_name: str = "demo"
    description: str = ""
    digest: str = "0" * 64
    tags: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return "pipelineInfo: {name: demo}\n"


@dataclass
class Recorder:
    """A server that answers by the path's beginning, the longest first, and remembers what it was asked."""

    answers: dict[str, Response]
    heard: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Response:
        self.heard.append(request)
        fitting = [key for key in self.answers if f"{request.method} {request.target}".startswith(key)]
        return self.answers[max(fitting, key=len)] if fitting else as_json({"code": 5, "message": "Not Found"}, 404)


@contextmanager
def replaying(
    answers: dict[str, Response], *, credentials: bool = True, **options: Any
) -> Iterator[tuple[KubeflowClient, Recorder]]:
    recorder = Recorder({"GET /apis/v2beta1/healthz": recorded("healthz"), **answers})
    token = BearerToken(source_of(Secret(env="TOKEN"), {"TOKEN": TOKEN})) if credentials else None
    with serving(recorder.answer) as url:
        client = connect(url, credentials=token, patience=Patience(pauses=()), **{"namespace": "team-a", **options})
        yield client, recorder


def told(name: str, who: str, method: str, path: str) -> KedroKubeflowError:
    """The error for one recorded answer."""
    answer = recorded(name)
    with replaying({f"{method} {urlsplit(path).path}": answer}, credentials=who != "no header") as (client, recorder):
        server = client.server
        with pytest.raises(KedroKubeflowError) as caught, server.errors("do it"):
            server.connection.request(method, server.address.host + path, body={} if method == "POST" else None)
        # A refusal for want of permission is not asked for a second time.
        assert len([r for r in recorder.heard if r.path == urlsplit(path).path]) == 1
    caught.value.where = (caught.value.where or "").replace(server.address.host, "https://kubeflow.example.com")
    return caught.value


def test_the_text_of_each_refusal() -> None:
    lines = ["What a user reads where KFP 2.17.0 (multi-user) refuses: recorded answer, then error and cure.", ""]
    for name, who, method, path in refused():
        error = told(name, who, method, path)
        lines += [f"## {name} ({who}: {method} {urlsplit(path).path})", str(error), f"  exit:  {error.exit_code}", ""]
        assert TOKEN not in str(error)
        assert "[redacted]" not in str(error)
        assert "NoCredentials" not in str(error)
    check_golden("refusals.txt", "\n".join(lines))


LISTS = "GET /apis/v2beta1/"
VIEWER = {
    f"{LISTS}runs": recorded("list-runs-view-only"),
    f"{LISTS}experiments": recorded("list-experiments-view-only"),
    f"{LISTS}pipelines": recorded("list-pipelines-view-only"),
    f"{LISTS}pipelines/names": recorded("get-pipeline-by-name-no-such"),
    f"{LISTS}runs?namespace=kedro-kubeflow": recorded("list-runs-no-such-namespace"),
    "POST /apis/v2beta1/experiments": recorded("create-experiment-view-only"),
    "POST /apis/v2beta1/pipelines": recorded("create-pipeline-no-namespace"),
    f"POST {UPLOADS}": recorded("upload-view-only"),
}
STRANGER = {
    **VIEWER,
    f"{LISTS}runs": recorded("list-runs-forbidden"),
    f"{LISTS}pipelines": recorded("list-pipelines-forbidden"),
}
NOBODY = {**VIEWER, f"{LISTS}runs": recorded("list-runs-no-header"), f"POST {UPLOADS}": recorded("upload-no-header")}
EDITOR = {
    **VIEWER,
    "POST /apis/v2beta1/experiments": recorded("create-experiment-exists"),
    "POST /apis/v2beta1/pipelines": as_json({"code": 6, "message": "Already exist error"}, 409),
}
EMPTY = {**EDITOR, f"{LISTS}experiments": as_json({}), f"{LISTS}pipelines": as_json({})}


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (VIEWER, (True, False, False)),
        (STRANGER, (False, False, False)),
        (EDITOR, (True, True, True)),
        (EMPTY, (True, None, None)),
    ],
)
def test_what_one_may_do(server: dict[str, Response], expected: tuple[bool | None, ...]) -> None:
    with replaying(server) as (client, recorder):
        found: Rights = rights(client.server, "team-a")
        assert (found.view, found.run, found.upload) == expected
        assert user_of(client.server) == "alice@example.com"
    # Only names that are taken are asked for.
    made = [request.json for request in recorder.heard if request.method == "POST"]
    assert all(body["display_name"] in ("smoke", "Penguins", "hello") or body["name"] for body in made)


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (
            VIEWER,
            "Could not upload the pipeline 'demo': alice@example.com may not create pipelines in the namespace 'kubeflow'",
        ),
        (
            STRANGER,
            "Could not upload the pipeline 'demo': alice@example.com may not list runs in the namespace 'team-b'",
        ),
        (NOBODY, "Could not upload the pipeline 'demo': Kubeflow Pipelines does not know who you are"),
        (EMPTY, "the server refuses it and gives no reason; you may view the namespace 'team-a'"),
    ],
)
def test_a_refused_upload_is_explained(server: dict[str, Response], said: str) -> None:
    with replaying(server) as (client, _), pytest.raises(KedroKubeflowError) as caught:
        client.uploads.upload(Demo())
    assert said in caught.value.what
    assert "Failed to create a pipeline" not in str(caught.value)
    assert caught.value.cure
    assert caught.value.exit_code == (6 if isinstance(caught.value, ServerError) else 4)


def test_a_shared_pipeline_is_asked_for() -> None:
    """Without a namespace a look-up by name gives a pipeline of that name out of any namespace, and an upload is everybody's."""
    with replaying(EMPTY, shares_pipelines=True) as (client, recorder):
        with pytest.raises(ServerError, match="gives no reason") as caught:
            client.uploads.upload(Demo())
        assert "pipeline.shared" in str(caught.value.cure)
    assert not [request for request in recorder.heard if "/names/" in request.path]
    assert not [request for request in recorder.heard if UPLOADS in request.path and "namespace" in request.query]
    with replaying(EMPTY) as (client, recorder), pytest.raises(ServerError):
        client.uploads.upload(Demo())
    named = [request for request in recorder.heard if "/names/" in request.path or UPLOADS in request.path]
    assert named
    assert {request.query["namespace"] for request in named} == {"team-a"}


DEX = redirect("/dex/auth?client_id=kubeflow&redirect_uri=/oauth2/callback")
OKTA = redirect("https://acme.okta.com/oauth2/v1/authorize?client_id=1")
ISTIO = Response(403, b"RBAC: access denied", {"server": "istio-envoy"})
PAGE = Response(403, b"<html><h1>Forbidden</h1></html>", {"Content-Type": "text/html"})
BASIC = Response(401, b"", {"WWW-Authenticate": 'Basic realm="x"'})
SSO = "https://sso.acme.com/authorize?client_id=1&response_type=code"


@pytest.mark.parametrize(
    ("api", "page", "said", "cure"),
    [
        (
            as_json({}, 401),
            DEX,
            "oauth2-proxy wants a login",
            "type: dex",
        ),
        (
            as_json({}, 401),
            OKTA,
            "Okta wants a login",
            "type: browser",
        ),
        (as_json({}, 401), as_json({}), "stands before it, wants a login", "check `auth`"),
        (
            ISTIO,
            as_json({}, 404),
            "gateway before the server (Istio) wants",
            "check `auth`",
        ),
        (Response(403, b""), as_json({}, 404), "wants a login, and no credentials were sent: HTTP 403", "check `auth`"),
        (
            PAGE,
            as_json({}),
            "HTTP 403\n",
            "check `auth`",
        ),
        (BASIC, as_json({}), "HTTP 401", "set `type: basic`"),
        (Response(407, b""), as_json({}), "The proxy on the way wants a login", "HTTPS_PROXY"),
    ],
)
def test_a_newcomer_is_told_who_stands_there(api: Response, page: Response, said: str, cure: str) -> None:
    with replaying({"GET /apis/v2beta1/runs": api, "GET /": page}, credentials=False) as (client, recorder):
        with pytest.raises(KedroKubeflowError) as caught:
            list(client.runs.list(limit=1))
        assert said in str(caught.value)
        assert cure in str(caught.value)
        assert caught.value.exit_code == 4
        # The front is looked at once at most.
        assert len([request for request in recorder.heard if request.path == "/"]) <= 1


@pytest.mark.parametrize(
    ("location", "said", "cure"),
    [
        ("https://127.0.0.1:8443/pipeline", "the server wants TLS", "write https://127.0.0.1:8443 under `host`"),
        ("https://127.0.0.1/", "the server wants TLS", "write https://127.0.0.1 under `host`"),
        (
            SSO,
            "a login at https://sso.acme.com is wanted",
            "type: browser",
        ),
        (
            "https://www.acme.com/pipeline",
            "sends to https://www.acme.com/pipe",
            "write https://www.acme.com under `host`",
        ),
        ("https://x.auth.eu.amazoncognito.com/oauth2/authorize", "Amazon Cognito wants a login", "type: browser"),
    ],
)
def test_redirects_are_called_by_their_own_address(location: str, said: str, cure: str) -> None:
    with replaying({"GET /apis/v2beta1/runs": redirect(location)}, credentials=False) as (client, _):
        with pytest.raises(KedroKubeflowError) as caught:
            list(client.runs.list(limit=1))
        assert said in str(caught.value)
        assert cure in str(caught.value)


@pytest.mark.parametrize(
    ("server", "levels", "said"),
    [
        (VIEWER, ["error", "info"], "alice@example.com, in the namespace 'team-a': may view; may not run, upload"),
        (EDITOR, ["info", "info"], "alice@example.com, in the namespace 'team-a': may view, run, upload"),
        (EMPTY, ["info", "info"], "may view; whether you may run, upload shows with the first one there"),
        (STRANGER, ["error", "info"], "may not view, run, upload"),
    ],
)
def test_check_says_who_one_is_and_what_one_may_do(server: dict[str, Response], levels: list[str], said: str) -> None:
    with serving(Recorder({"GET /apis/v2beta1/healthz": recorded("healthz"), **server}).answer) as url:
        config = read_config({"host": url, "namespace": "team-a", "auth": "none"})
        found = list(server_findings(connect(url, namespace="team-a"), config, tracking=False))
    assert [finding.level for finding in found] == levels
    assert said in found[0].what
    assert found[0].where == "kubeflow.yml, namespace"
    assert found[0].cure or levels[0] == "info"


def test_check_asks_for_each_namespace_that_is_used() -> None:
    answers = {"GET /apis/v2beta1/healthz": recorded("healthz"), **EDITOR}
    answers |= {f"{LISTS}runs?namespace=team-b": recorded("list-runs-forbidden")}
    with serving(Recorder(answers).answer) as url:
        config = read_config({"host": url, "namespace": "team-a", "experiment_namespace": "team-b", "auth": "none"})
        ours, theirs, _ = list(server_findings(connect(url, namespace="team-a"), config, tracking=False))
    assert (ours.level, theirs.level) == ("info", "error")
    assert theirs.what == "alice@example.com, in the namespace 'team-b': may not view, run, upload"
    assert theirs.where == "kubeflow.yml, experiment_namespace"
