"""A Kedro project with kedro-mlflow, and an MLflow server that asks who it is."""

from __future__ import annotations

import base64
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from kedro_project import KedroProject, make_project

from auth.google_stand_in import ACCOUNT, TARGET, Google
from auth.guarded_mlflow import Guard

AUDIENCE = "123.apps.googleusercontent.com"
PIPELINE = """
import time
from kedro.pipeline import Pipeline, node

def slow(seconds):
    time.sleep(seconds)
    return {"slept": seconds}

def create_pipeline():
    return Pipeline([node(slow, "params:seconds", "note", name="slow")])
"""
# Any code may say where MLflow is.
TELLING = """
import mlflow
from kedro.pipeline import Pipeline, node

def tell(seconds):
    print("MLflow is at", mlflow.get_tracking_uri())
    return {"slept": seconds}

def create_pipeline():
    return Pipeline([node(tell, "params:seconds", "note", name="slow")])
"""
CATALOG = {
    "note": {
        "type": "kedro_mlflow.io.artifacts.MlflowArtifactDataset",
        "dataset": {"type": "json.JSONDataset", "filepath": "data/note.json"},
    }
}
TWO_LOADS = """
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
for _ in range(2):
    with KedroSession.create() as session:
        session.load_context()
with KedroSession.create() as session:
    session.run()
"""


def project(folder: Path, uri: str, provider: dict[str, Any], **more: Any) -> KedroProject:
    made = make_project(
        folder / "project",
        pipelines=more.pop("pipelines", PIPELINE),
        catalog=CATALOG,
        parameters={"seconds": more.pop("seconds", 0)},
        mlflow={"server": {"mlflow_tracking_uri": uri, "request_header_provider": provider}},
        data={"data/.gitkeep": ""},
        **more,
    )
    made.environ = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return made


def runs(uri: str, experiment: str, since: float = 0.0) -> list[Any]:
    """Its runs, the latest first; of those alone that have begun since a moment, as other tests log there too."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    place = client.get_experiment_by_name(experiment).experiment_id
    return list(client.search_runs([place], f"attributes.start_time >= {int(since * 1000)}"))


def test_google_tokens_that_expire_while_the_pipeline_runs(
    tmp_path: Path, guard: Guard, google: Google, mlflow_server: str, quiet_mlflow: None
) -> None:
    """Parameters, status and a proxied artifact arrive under fresh tokens only."""
    since = time.time()

    def fresh(authorization: str | None) -> bool:
        claims = google.claims(authorization) or {"exp": 0}
        return claims["exp"] > time.time() and (claims["aud"], claims["email"]) == (AUDIENCE, ACCOUNT)

    guard.lets_in = fresh
    google.lifetime = 3.0
    demo = project(
        tmp_path,
        guard.url,
        {"type": "kedro_kubeflow.auth.gcp.MLFlowGoogleOauthRequestHeaderProvider", "pass_context": True},
        kubeflow={"run_config": {"mlflow": {"request_header_provider_params": {"client_id": AUDIENCE}}}},
        seconds=3.1,
    )
    done = demo.kedro("run", env=google.environment(google.key_file())).ok()
    [run] = runs(mlflow_server, "demo", since)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"seconds": "3.1"}
    assert any(path.startswith("PUT /api/2.0/mlflow-artifacts/") for path in guard.paths)
    assert None not in guard.seen
    assert len(set(guard.seen)) >= 2
    # One refresh for many requests.
    assert len(google.asked("token")) < len(guard.seen) / 2
    assert not any(token in done.text for token in google.issued)


def test_refused_credentials_end_the_run_before_anything_is_sent(tmp_path: Path, guard: Guard, google: Google) -> None:
    guard.lets_in = lambda _: True
    google.refused = {TARGET}
    demo = project(
        tmp_path,
        guard.url,
        {
            "type": "kedro_kubeflow.auth.gcp.MLFlowGoogleIAMRequestHeaderProvider",
            "pass_context": True,
            "init_kwargs": {"client_id": AUDIENCE, "service_account": TARGET},
        },
    )
    done = demo.kedro("run", env=google.environment(metadata=True))
    assert done.code != 0
    assert f"grant the caller roles/iam.serviceAccountTokenCreator on {TARGET}" in " ".join(done.text.split())
    assert guard.seen == []
    assert not any(token in done.text for token in google.issued)


def test_several_context_loads_in_one_process(
    tmp_path: Path, guard: Guard, mlflow_server: str, quiet_mlflow: None
) -> None:
    guard.lets_in = lambda authorization: authorization == "Bearer sesame"
    demo = project(
        tmp_path,
        guard.url,
        {
            "type": "kedro_kubeflow.auth.mlflow.BearerTokenRequestHeaderProvider",
            "init_kwargs": {"token_file": str(tmp_path / "token")},
        },
    )
    (tmp_path / "token").write_text("sesame\n")
    done = demo.python("-c", TWO_LOADS).ok()
    assert set(guard.seen) == {"Bearer sesame"}
    assert "sesame" not in done.text
    assert "FINISHED" in {run.info.status for run in runs(mlflow_server, "demo")}


@pytest.mark.parametrize("params", [{}, {"client_id": ""}])
def test_kedro_mlflow_lets_our_error_through(params: dict[str, str]) -> None:
    """A missing parameter needs no request to be seen: kedro-mlflow makes the provider as it loads the context."""
    from kedro_mlflow.config.kedro_mlflow_config import KedroMlflowConfig

    from kedro_kubeflow.errors import AuthError

    provider = {"type": "kedro_kubeflow.auth.gcp.MLFlowGoogleOauthRequestHeaderProvider", "init_kwargs": params}
    config = KedroMlflowConfig(server={"request_header_provider": provider})
    with pytest.raises(AuthError, match="'client_id' is missing"):
        config._register_request_header_provider(None)


def test_a_password_in_the_address_is_in_no_log(
    tmp_path: Path, guard: Guard, mlflow_server: str, quiet_mlflow: None
) -> None:
    """kedro-mlflow and MLflow write the address into their logs."""
    since = time.time()
    password = "canary p@ss/6f1c"
    expected = "Basic " + base64.b64encode(f"ann:{password}".encode()).decode()
    guard.lets_in = lambda authorization: authorization == expected
    uri = guard.url.replace("http://", f"http://ann:{quote(password, safe='')}@")
    demo = project(tmp_path, uri, {}, pipelines=TELLING)
    # MLflow prints links with the address at the end of a step, unless it is told not to.
    demo.environ |= {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "false"}
    done = demo.run_once(fresh=True).ok()
    [run] = runs(mlflow_server, "demo", since)
    assert run.info.status == "FINISHED"
    assert set(guard.seen) == {expected}
    written = {
        str(path): path.read_text("utf-8", "replace") for path in demo.path.rglob(".kubeflow/**/*.*") if path.is_file()
    }
    assert any(f"MLflow is at {guard.url}" in text for text in written.values())
    for place, text in {"the terminal": done.text, **written}.items():
        assert not [form for form in ("canary", quote(password, safe="")) if form in text], place


def test_a_token_that_is_refused_in_the_middle_is_asked_for_anew_once(
    tmp_path: Path, guard: Guard, mlflow_server: str, quiet_mlflow: None
) -> None:
    """Nobody can see an end of it: the server simply takes it no longer."""
    tokens = tmp_path / "tokens"
    tokens.write_text("0")
    program = tmp_path / "token.py"
    program.write_text(
        f"from pathlib import Path\nfile = Path({str(tokens)!r})\nnumber = int(file.read_text()) + 1\n"
        "file.write_text(str(number))\nprint(f'token-{number}')\n"
    )
    answered: list[str] = []

    def lets_in(authorization: str | None) -> bool:
        answered.append(str(authorization))
        valid = "Bearer token-1" if len(answered) <= 5 else "Bearer token-2"
        return authorization == valid

    guard.lets_in = lets_in
    demo = project(
        tmp_path,
        guard.url,
        {
            "type": "kedro_kubeflow.auth.mlflow.header_providers.TokenCommandRequestHeaderProvider",
            "init_kwargs": {"command": f"{sys.executable} {program}"},
        },
    )
    demo.kedro("run").ok()
    # The latest; other tests log to the same experiment.
    run = next(r for r in runs(mlflow_server, "demo") if r.data.params.get("seconds") == "0")
    assert run.info.status == "FINISHED"
    assert tokens.read_text() == "2"
    assert answered.count("Bearer token-1") == 6, "five that were taken, one that was refused"
