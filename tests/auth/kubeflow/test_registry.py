from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests

from auth.loopback import Response, as_json, serving
from kedro_kubeflow.auth.kubeflow import AuthProvider, Surroundings, authenticated, detection, from_config, registry
from kedro_kubeflow.config.auth import BUILT_IN, AuthConfig, CustomAuth
from kedro_kubeflow.config.model import Model, parse
from kedro_kubeflow.errors import AuthError, ConfigError, DependencyError

HOST = "https://kubeflow.example.com/pipeline/"
OWN = """
class Own:
    def __init__(self, options, around):
        self.options, self.around = options, around
    def headers(self):
        return {"X-Own": self.options["greeting"], "X-Host": self.around.host, "X-Env": self.around.env["WHO"]}
    def renew(self):
        return False

def no_provider(options, around):
    return {}

def other_arguments():
    return Own({}, None)
"""


class Section(Model):
    auth: AuthConfig
    """How to authenticate."""


def configured(section: Any) -> Any:
    return parse(Section, {"auth": section}, where="kubeflow.yml").auth


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with an entry point."""
    (tmp_path / "own_auth.py").write_text(OWN)
    info = tmp_path / "own_auth-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-auth\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[kedro_kubeflow.auth]\nown = own_auth:Own\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_each_name_has_a_module() -> None:
    assert registry.MODULES.keys() == BUILT_IN.keys()


@pytest.mark.parametrize(
    "section",
    [
        {"type": "none"},
        {"type": "bearer", "token": {"env": "T"}},
        {"type": "basic", "username": "u", "password": {"env": "T"}},
        {"type": "cookie", "value": {"env": "T"}},
        {"type": "kubernetes"},
        {"type": "iap", "client_id": "c"},
        {"type": "google"},
        {"type": "dex"},
        {"type": "oidc", "token_url": "https://id", "client_id": "c", "client_secret": {"env": "T"}},
    ],
    ids=lambda section: str(section["type"]),
)
def test_a_provider_is_made_without_asking_anybody(section: dict[str, Any]) -> None:
    provider = from_config(configured(section), host=HOST, env={})
    assert isinstance(provider, AuthProvider)
    assert repr(provider)


@pytest.mark.parametrize(
    ("name", "cookie"), [(None, "a=b; c=d"), ("authservice_session", "authservice_session=a=b; c=d")]
)
def test_a_cookie(name: str | None, cookie: str) -> None:
    section = {"type": "cookie", "value": {"env": "C"}, "name": name}
    provider = from_config(configured(section), host=HOST, env={"C": "a=b; c=d\n"})
    assert provider.headers() == {"Cookie": cookie}
    assert not provider.renew()


@pytest.mark.parametrize("name", ["own", "own_auth.Own", "own_auth:Own"])
def test_a_provider_of_your_own(plugin: None, name: str) -> None:
    config = configured({"type": name, "options": {"greeting": "hello"}})
    provider = from_config(config, host=HOST, env={"WHO": "me"})
    assert provider.headers() == {"X-Own": "hello", "X-Host": HOST.rstrip("/"), "X-Env": "me"}


def test_a_name_that_nobody_has(plugin: None) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'own'"):
        configured({"type": "owm"})


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("no_such_package.Auth", DependencyError, "cannot be imported: No module named"),
        ("own_auth.Missing", ConfigError, "The module own_auth has no Missing"),
        ("own_auth.no_provider", ConfigError, "makes no authentication provider"),
        ("own_auth.other_arguments", ConfigError, r"called with \(options: dict, surroundings\)"),
    ],
)
def test_a_provider_of_your_own_that_is_none(plugin: None, name: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        from_config(CustomAuth(type=name), host=HOST, env={})


def test_surroundings_do_not_show_the_environment() -> None:
    assert "sesame" not in repr(Surroundings(HOST, {"DEX_PASSWORD": "sesame"}))


class TestDetection:
    @pytest.fixture(autouse=True)
    def outside_of_clusters(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(detection, "PIPELINES_TOKEN", str(tmp_path / "token"))

    @pytest.mark.parametrize(
        ("env", "host", "kind"),
        [
            ({}, HOST, "none"),
            ({"IAP_CLIENT_ID": "c"}, HOST, "iap"),
            ({"KF_PIPELINES_IAP_OAUTH2_CLIENT_ID": "c"}, HOST, "iap"),
            ({"IAP_CLIENT_ID": "c", "DEX_USERNAME": "u", "DEX_PASSWORD": "p"}, HOST, "iap"),
            ({"IAP_CLIENT_ID": "", "DEX_USERNAME": "u", "DEX_PASSWORD": "p"}, HOST, "dex"),
            ({"KF_PIPELINES_SA_TOKEN_PATH": "/t", "DEX_USERNAME": "u", "DEX_PASSWORD": "p"}, HOST, "dex"),
            ({"KF_PIPELINES_SA_TOKEN_PATH": "/t"}, HOST, "kubernetes"),
            ({}, "https://abc-dot-us-central1.pipelines.googleusercontent.com", "google"),
            ({"GOOGLE_APPLICATION_CREDENTIALS": "/key.json"}, HOST, "none"),
        ],
    )
    def test_by_the_environment(self, env: dict[str, str], host: str, kind: str) -> None:
        assert detection.detect(host, env).type == kind

    def test_a_mounted_token(self, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("t")
        assert detection.detect(HOST, {}).type == "kubernetes"

    @pytest.mark.parametrize("half", ["DEX_USERNAME", "DEX_PASSWORD"])
    def test_half_of_dex(self, half: str) -> None:
        with pytest.raises(AuthError, match=r"Of DEX_USERNAME and DEX_PASSWORD, .* is not set") as error:
            detection.detect(HOST, {half: "sesame"})
        assert "sesame" not in str(error.value)

    def test_no_iap_is_said_once_per_provider(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO):
            from_config(None, host=HOST, env={})
        assert [r.message for r in caplog.records] == ["No IAP_CLIENT_ID provided, skipping custom IAP authentication"]
        assert caplog.records[0].levelno == logging.INFO
        caplog.clear()
        from_config(None, host=HOST, env={"IAP_CLIENT_ID": "c"})
        assert not caplog.records

    def test_what_is_configured_is_not_looked_for(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO):
            provider = from_config(configured("none"), host=HOST, env={"IAP_CLIENT_ID": "c"})
        assert provider.headers() == {}
        assert not caplog.records

    def test_the_order_is_documented(self) -> None:
        text = detection.__doc__ or ""
        order = [
            "IAP_CLIENT_ID",
            "DEX_USERNAME",
            "googleusercontent.com",
            "KF_PIPELINES_SA_TOKEN_PATH",
            "Nothing is sent",
        ]
        assert sorted(order, key=text.index) == order


def test_nothing_heavy_is_loaded_until_it_is_used() -> None:
    script = """
import sys
from kedro_kubeflow.auth.kubeflow import from_config
from kedro_kubeflow.config.auth import BUILT_IN, DexAuth, GoogleAuth, IapAuth, KubernetesAuth
for config in (None, DexAuth(type="dex"), GoogleAuth(type="google"), KubernetesAuth(type="kubernetes")):
    from_config(config, host="https://example.com", env={})
heavy = {"mlflow", "google.auth", "requests", "urllib3", "kubernetes", "kfp", "kedro"}
print(sorted(heavy & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Faulty:
    """A provider with a defect."""

    def __init__(self, options: dict[str, Any], _around: Surroundings) -> None:
        self.realm = options["realm"]

    def headers(self) -> dict[str, str]:
        return {"Authorization": {}[self.realm]}

    def renew(self) -> bool:
        raise RuntimeError("not today")


def test_a_defect_of_a_class_of_ones_own_is_called_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "own_faulty", ModuleType("own_faulty"))
    monkeypatch.setattr(sys.modules["own_faulty"], "Faulty", Faulty, raising=False)
    with pytest.raises(ConfigError, match=r"own_faulty\.Faulty cannot be made: KeyError: 'realm'"):
        from_config(CustomAuth(type="own_faulty.Faulty"), host=HOST)
    made = from_config(CustomAuth(type="own_faulty.Faulty", options={"realm": "science"}), host=HOST)
    with pytest.raises(AuthError, match=r"own_faulty\.Faulty gives no credentials: KeyError: 'science'"):
        made.headers()
    with pytest.raises(AuthError, match="RuntimeError: not today"):
        made.renew()


@pytest.mark.parametrize(("env", "what"), [({"NB_PREFIX": "/notebook/a/b"}, "notebook"), ({}, "pod")])
@pytest.mark.parametrize("said", [as_json({}, 401), as_json({"code": 16, "message": "no user identity header"}, 401)])
def test_a_notebook_without_a_token(env: dict[str, str], what: str, said: Response) -> None:
    provider = from_config(None, host="http://ml-pipeline", env={"KUBERNETES_SERVICE_HOST": "10.0.0.1", **env})
    with serving(lambda _: said) as url, pytest.raises(AuthError) as error:
        authenticated(provider, lambda headers: requests.get(url, headers=headers, timeout=10))
    assert f"this {what} was started without a token for Kubeflow Pipelines" in error.value.what
    assert "Allow access to Kubeflow Pipelines" in str(error.value.cure)
