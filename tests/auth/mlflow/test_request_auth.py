from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from auth.google_stand_in import TARGET, Google
from auth.guarded_mlflow import Guard
from kedro_kubeflow.auth.mlflow import request_auth as module
from kedro_kubeflow.auth.mlflow.renewal import RenewingAuth
from kedro_kubeflow.auth.mlflow.request_auth import EnvironmentRequestAuthProvider
from kedro_kubeflow.errors import AuthError

PROVIDERS = {cls.name: cls for cls in EnvironmentRequestAuthProvider.__subclasses__()}
PREFIX = "KEDRO_KUBEFLOW_MLFLOW_"


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A folder for ``sys.path`` that makes the providers known to MLflow as an installed package does."""
    info = tmp_path / "plugins" / "plugins-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugins\nVersion: 1.0\n")
    lines = "\n".join(f"{name} = {cls.__module__}:{cls.__name__}" for name, cls in PROVIDERS.items())
    (info / "entry_points.txt").write_text(f"[mlflow.request_auth_provider]\n{lines}\n")
    return info.parent


def mlflow(*words: str, env: dict[str, str], plugins: Path) -> subprocess.CompletedProcess[str]:
    """The ``mlflow`` command line."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", PREFIX))}
    quick = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": str(plugins)}
    return subprocess.run(
        [sys.executable, "-m", "mlflow", *words], env={**ours, **quick, **env}, capture_output=True, text=True
    )


def test_the_names_are_documented() -> None:
    assert sorted(PROVIDERS) == [
        "kedro-kubeflow-basic",
        "kedro-kubeflow-bearer",
        "kedro-kubeflow-command",
        "kedro-kubeflow-google-iam",
        "kedro-kubeflow-google-oauth",
    ]
    assert all(f"``{name}``" in (module.__doc__ or "") for name in PROVIDERS)


def test_the_command_line_of_mlflow_is_let_in(guard: Guard, google: Google, plugins: Path) -> None:
    guard.lets_in = lambda a: (google.claims(a) or {}).get("email") == TARGET
    env = {
        **google.environment(google.key_file()),
        "MLFLOW_TRACKING_URI": guard.url,
        "MLFLOW_TRACKING_AUTH": "kedro-kubeflow-google-iam",
        f"{PREFIX}CLIENT_ID": "c",
        f"{PREFIX}SERVICE_ACCOUNT": TARGET,
    }
    done = mlflow("experiments", "search", env=env, plugins=plugins)
    assert done.returncode == 0, done.stderr
    assert "Default" in done.stdout
    assert None not in guard.seen


@pytest.mark.parametrize(
    ("name", "env", "expected"),
    [
        ("bearer", {"TOKEN": "abc"}, "Bearer abc"),
        ("bearer", {"TOKEN_ENV": "OTHER_TOKEN"}, "Bearer other"),
        ("bearer", {"TOKEN": "abc", "SCHEME": "Token"}, "Token abc"),
        ("basic", {"USERNAME": "me", "PASSWORD": "pw"}, "Basic bWU6cHc="),
        ("command", {"COMMAND": f"{sys.executable} -S -c \"print('Basic abc')\""}, "Basic abc"),
    ],
)
def test_parameters_are_variables(
    quiet_mlflow: None, monkeypatch: pytest.MonkeyPatch, name: str, env: dict[str, str], expected: str
) -> None:
    monkeypatch.setenv("OTHER_TOKEN", "other")
    for key, value in env.items():
        monkeypatch.setenv(PREFIX + key, value)
    provider = PROVIDERS[f"kedro-kubeflow-{name}"]()
    assert provider.get_name() == f"kedro-kubeflow-{name}"
    request = requests.Request("GET", "http://example.com", auth=provider.get_auth()).prepare()
    assert request.headers["Authorization"] == expected


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_what_is_missing_is_raised(quiet_mlflow: None, name: str) -> None:
    with pytest.raises(AuthError, match=r"missing|not set") as error:
        PROVIDERS[name]().get_auth()
    assert error.value.exit_code == 4


def test_changed_variables_are_seen_and_unchanged_ones_keep_the_cache(
    quiet_mlflow: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    script = f"f=open({str(runs)!r}, 'a+'); f.write('x'); f.seek(0); print(len(f.read()))"
    monkeypatch.setenv(f"{PREFIX}COMMAND", f'{sys.executable} -S -c "{script}"')
    provider = PROVIDERS["kedro-kubeflow-command"]()
    assert [provider.get_auth()._headers["Authorization"] for _ in range(2)] == ["Bearer 1"] * 2
    monkeypatch.setenv(f"{PREFIX}SCHEME", "Token")
    assert provider.get_auth()._headers["Authorization"] == "Token 2"


def test_fifty_threads_start_one_command(quiet_mlflow: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    script = f"import time; open({str(runs)!r}, 'a').write('x'); time.sleep(0.2); print('abc')"
    monkeypatch.setenv(f"{PREFIX}COMMAND", f'{sys.executable} -S -c "{script}"')
    provider = PROVIDERS["kedro-kubeflow-command"]()
    results: list[RenewingAuth] = []
    threads = [threading.Thread(target=lambda: results.append(provider.get_auth())) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 50
    assert runs.read_text() == "x"


@pytest.fixture
def registered(quiet_mlflow: None) -> Iterator[None]:
    """MLflow in this process knows the providers."""
    from mlflow.tracking.request_auth import registry

    known = registry._request_auth_provider_registry._registry
    before = list(known)
    for cls in PROVIDERS.values():
        registry._request_auth_provider_registry.register(cls)
    yield
    known[:] = before


def test_mlflow_raises_our_error_and_sends_nothing(
    guard: Guard, google: Google, registered: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    guard.lets_in = lambda _: True
    google.refused = {TARGET}
    more = {"MLFLOW_TRACKING_AUTH": "kedro-kubeflow-google-iam", f"{PREFIX}CLIENT_ID": "c"}
    for key, value in {**google.environment(google.key_file()), **more, f"{PREFIX}SERVICE_ACCOUNT": TARGET}.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(AuthError, match=r"grant the caller roles/iam.serviceAccountTokenCreator") as error:
        MlflowClient(tracking_uri=guard.url).get_experiment("0")
    assert guard.seen == []
    assert not any(token in str(error.value) for token in google.issued)


class Rotated:
    """Credentials of which the first are refused."""

    def __init__(self) -> None:
        self.word = "sesame"

    def headers(self) -> dict[str, str]:
        return {"Authorization": self.word}

    def renew(self) -> bool:
        self.word = "open"
        return True


def test_the_header_is_not_shown() -> None:
    assert "sesame" not in repr(RenewingAuth(Rotated()))


def test_a_refused_request_is_sent_once_more(guard: Guard) -> None:
    guard.lets_in = lambda authorization: authorization == "open"
    answer = requests.get(f"{guard.url}/api/2.0/mlflow/experiments/get?experiment_id=0", auth=RenewingAuth(Rotated()))
    assert answer.status_code == 200
    assert guard.seen == ["sesame", "open"]
    guard.lets_in = lambda _: False
    assert requests.get(f"{guard.url}/version", auth=RenewingAuth(Rotated())).status_code == 401
    assert guard.seen[2:] == ["sesame", "open"]


def test_it_wins_over_a_header_provider(guard: Guard, registered: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both at once send one header, not two."""
    from mlflow import MlflowClient
    from mlflow.tracking.request_header import registry

    from kedro_kubeflow.auth.mlflow import BearerTokenRequestHeaderProvider

    guard.lets_in = lambda authorization: authorization == "Bearer abc"
    monkeypatch.setenv(f"{PREFIX}TOKEN", "abc")
    monkeypatch.setenv("MLFLOW_TRACKING_AUTH", "kedro-kubeflow-bearer")
    registry._request_header_provider_registry.register(BearerTokenRequestHeaderProvider)
    assert MlflowClient(tracking_uri=guard.url).get_experiment("0").name == "Default"
    assert guard.seen == ["Bearer abc"]
