from __future__ import annotations

import base64
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from auth import jwt
from auth.google_stand_in import ACCOUNT, TARGET, Google
from auth.guarded_mlflow import Guard
from kedro_kubeflow.auth.mlflow.google_header_providers import (
    MLFlowGoogleIAMRequestHeaderProvider,
    MLFlowGoogleOauthRequestHeaderProvider,
)
from kedro_kubeflow.auth.mlflow.header_providers import (
    BasicAuthRequestHeaderProvider,
    BearerTokenRequestHeaderProvider,
    CredentialsRequestHeaderProvider,
    TokenCommandRequestHeaderProvider,
)
from kedro_kubeflow.errors import AuthError, ConfigError

CONTEXT = SimpleNamespace(config_loader=None)
AUDIENCE = "123.apps.googleusercontent.com"
Ask = Callable[[Any], None]


@pytest.fixture
def ask(guard: Guard, quiet_mlflow: None) -> Ask:
    """Register a provider as kedro-mlflow does, and let MLflow's client ask the guarded server something."""

    def asking(provider: Any) -> None:
        from mlflow import MlflowClient
        from mlflow.tracking.request_header import registry

        if provider not in registry._request_header_provider_registry._registry:
            registry._request_header_provider_registry.register(lambda: provider)
        assert MlflowClient(tracking_uri=guard.url).get_experiment("0").name == "Default"

    return asking


@pytest.fixture
def ambient(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process' ambient credentials are a service account's key file."""
    for name, value in google.environment(google.key_file()).items():
        monkeypatch.setenv(name, value)


def test_bearer_from_a_variable(ask: Ask, guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "abc")
    guard.lets_in = lambda authorization: authorization == "Bearer abc"
    ask(BearerTokenRequestHeaderProvider(CONTEXT, token_env="SOME_TOKEN"))


def test_bearer_from_a_file_that_is_rotated(ask: Ask, guard: Guard, tmp_path: Path) -> None:
    """The guard lets fresh tokens in only."""
    key = jwt.key_of("issuer")

    def fresh(authorization: str | None) -> bool:
        claims = jwt.verified((authorization or "").removeprefix("Bearer "), key.public_key())
        return claims is not None and claims["exp"] > time.time()

    guard.lets_in = fresh
    file = tmp_path / "token"
    provider = BearerTokenRequestHeaderProvider(CONTEXT, token_file=str(file))
    for _ in range(2):
        file.write_text(jwt.sign({"exp": time.time() + 0.6}, key))
        ask(provider)
        time.sleep(0.65)
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="a fresh token is needed"):
        ask(provider)


def test_bearer_without_parameters_reads_our_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_KUBEFLOW_MLFLOW_TOKEN", "abc")
    assert BearerTokenRequestHeaderProvider().request_headers() == {"Authorization": "Bearer abc"}


def test_bearer_with_another_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "abc")
    provider = BearerTokenRequestHeaderProvider(CONTEXT, token_env="SOME_TOKEN", scheme="Token")
    assert provider.request_headers() == {"Authorization": "Token abc"}


def test_basic(ask: Ask, guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PASSWORD", "sesame")
    expected = f"Basic {base64.b64encode(b'me:sesame').decode()}"
    guard.lets_in = lambda authorization: authorization == expected
    ask(BasicAuthRequestHeaderProvider(CONTEXT, username="me", password_env="SOME_PASSWORD"))
    monkeypatch.setenv("SOME_USER", "me")
    ask(BasicAuthRequestHeaderProvider(CONTEXT, username_env="SOME_USER", password_env="SOME_PASSWORD"))


def test_a_command_is_given_as_one_string_and_asked_again_when_its_output_is_old(
    ask: Ask, guard: Guard, tmp_path: Path
) -> None:
    guard.lets_in = lambda authorization: authorization in ("Digest 1", "Digest 2")
    script = tmp_path / "a script.py"
    runs = tmp_path / "runs"
    script.write_text(f"f=open({str(runs)!r}, 'a+'); f.write('x'); f.seek(0); print('Digest', len(f.read()))")
    provider = TokenCommandRequestHeaderProvider(CONTEXT, command=f"{sys.executable} -S '{script}'", ttl="0.5")
    ask(provider)
    ask(provider)
    time.sleep(0.5)
    ask(provider)
    assert guard.seen == ["Digest 1", "Digest 1", "Digest 2"]


def test_google_oauth(ask: Ask, guard: Guard, google: Google, ambient: None) -> None:
    guard.lets_in = lambda a: (google.claims(a) or {}).get("email") == ACCOUNT
    ask(MLFlowGoogleOauthRequestHeaderProvider(CONTEXT, client_id=AUDIENCE))
    assert (google.claims(guard.seen[-1]) or {})["aud"] == AUDIENCE


def test_google_iam(ask: Ask, guard: Guard, google: Google, ambient: None) -> None:
    guard.lets_in = lambda a: (google.claims(a) or {}).get("email") == TARGET
    ask(MLFlowGoogleIAMRequestHeaderProvider(CONTEXT, client_id=AUDIENCE, service_account=TARGET))
    assert google.asked("generateIdToken")[0]["includeEmail"] is True


def test_params_of_kubeflow_yml_are_enough(google: Google, ambient: None) -> None:
    section = {"run_config": {"mlflow": {"request_header_provider_params": {"client_id": AUDIENCE}}}}
    context = SimpleNamespace(config_loader={"kubeflow": section})
    headers = MLFlowGoogleOauthRequestHeaderProvider(context).request_headers()
    assert (google.claims(headers["Authorization"]) or {})["aud"] == AUDIENCE


@pytest.mark.parametrize(
    ("cls", "params", "name"),
    [
        (MLFlowGoogleOauthRequestHeaderProvider, {}, "client_id"),
        (MLFlowGoogleOauthRequestHeaderProvider, {"client_id": " "}, "client_id"),
        (MLFlowGoogleIAMRequestHeaderProvider, {"service_account": TARGET}, "client_id"),
        (MLFlowGoogleIAMRequestHeaderProvider, {"client_id": AUDIENCE}, "service_account"),
        (BasicAuthRequestHeaderProvider, {}, "username"),
        (TokenCommandRequestHeaderProvider, {}, "command"),
    ],
)
def test_a_missing_parameter_is_named_when_the_provider_is_made(
    cls: type[CredentialsRequestHeaderProvider], params: dict[str, str], name: str
) -> None:
    with pytest.raises(AuthError, match=f"The parameter '{name}' is missing") as error:
        cls(CONTEXT, **params)
    assert cls.__name__ in str(error.value)
    assert "cure:" in str(error.value)


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (BearerTokenRequestHeaderProvider, {"token": "sesame"}),
        (BasicAuthRequestHeaderProvider, {"username": "me", "password": "sesame"}),
        (BearerTokenRequestHeaderProvider, {"token_env": "not a name: sesame"}),
        (BearerTokenRequestHeaderProvider, {"token_env": "A", "token_file": "/sesame"}),
    ],
)
def test_a_secret_in_clear_is_refused(cls: type[CredentialsRequestHeaderProvider], params: dict[str, str]) -> None:
    with pytest.raises((AuthError, ConfigError)) as error:
        cls(CONTEXT, **params)
    assert "sesame" not in str(error.value)


def test_refused_credentials_stop_the_request(ask: Ask, guard: Guard, google: Google, ambient: None) -> None:
    from mlflow.exceptions import MlflowException

    guard.lets_in = lambda _: True
    google.refused = {TARGET}
    provider = MLFlowGoogleIAMRequestHeaderProvider(CONTEXT, client_id=AUDIENCE, service_account=TARGET)
    with pytest.raises(MlflowException, match=r"grant the caller roles/iam.serviceAccountTokenCreator"):
        ask(provider)
    assert guard.seen == []
    with pytest.raises(AuthError, match="Google refused"):
        provider.request_headers()


def test_nothing_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "sesame")
    provider = BearerTokenRequestHeaderProvider(CONTEXT, token_env="SOME_TOKEN")
    provider.request_headers()
    assert f"{provider!r} {provider._credentials!r}" == (
        "BearerTokenRequestHeaderProvider(token_env) BearerToken(environment variable SOME_TOKEN)"
    )
