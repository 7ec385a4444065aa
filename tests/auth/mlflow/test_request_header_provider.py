from __future__ import annotations

import gc
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.config import OmegaConfigLoader

from auth.guarded_mlflow import Guard
from kedro_kubeflow.auth.mlflow import request_header_provider as module
from kedro_kubeflow.auth.mlflow_request_header_provider import RequestHeaderProviderWithKedroContext
from kedro_kubeflow.errors import AuthError, ConfigError

KUBEFLOW_YML = """
run_config:
  image: registry.example.com/demo:1
  mlflow:
    request_header_provider_params:
      user: from-kubeflow
      audience: from-kubeflow
      retries: 3
"""


class Fixed(RequestHeaderProviderWithKedroContext):
    def in_context(self) -> bool:
        return True

    def request_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.params['token']}"}


class Failing(RequestHeaderProviderWithKedroContext):
    def in_context(self) -> bool:
        return True

    def request_headers(self) -> dict[str, str]:
        raise AuthError("The vault is closed", where="the vault", cure="open it")


def context(folder: Path, kubeflow: str | None = KUBEFLOW_YML, local: str | None = None) -> Any:
    """What a provider sees of a Kedro context."""
    for env, text in {"base": kubeflow, "local": local}.items():
        (folder / "conf" / env).mkdir(parents=True)
        if text is not None:
            (folder / "conf" / env / "kubeflow.yml").write_text(text)
    loader = OmegaConfigLoader(str(folder / "conf"), base_env="base", default_run_env="local")
    return SimpleNamespace(config_loader=loader, project_path=folder)


def client(uri: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri)


def register(provider: Any) -> None:
    """As kedro-mlflow does."""
    from mlflow.tracking.request_header import registry

    registry._request_header_provider_registry.register(lambda: provider)


def test_params_are_those_of_mlflow_yml_filled_up_from_kubeflow_yml(tmp_path: Path) -> None:
    provider = Fixed(context(tmp_path), user="from-mlflow", token="t")
    assert provider.params == {"user": "from-mlflow", "token": "t", "audience": "from-kubeflow", "retries": 3}
    assert provider.kedro_context.project_path == tmp_path


def test_environments_of_kubeflow_yml_are_merged_key_by_key(tmp_path: Path) -> None:
    local = "run_config: {mlflow: {request_header_provider_params: {user: from-local}}}"
    provider = Fixed(context(tmp_path, local=local))
    assert provider.params == {"user": "from-local", "audience": "from-kubeflow", "retries": 3}


@pytest.mark.parametrize("text", [None, "", "run_config:", "run_config: {mlflow: }", "host: https://example.com"])
def test_no_params_in_kubeflow_yml(tmp_path: Path, text: str | None) -> None:
    assert Fixed(context(tmp_path, text), a="1").params == {"a": "1"}


def test_a_config_loader_of_another_kind() -> None:
    assert Fixed(SimpleNamespace(config_loader={})).params == {}


def test_a_kubeflow_yml_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a mapping is needed here"):
        Fixed(context(tmp_path, "run_config: {mlflow: nonsense}"))


def test_the_context_was_not_passed() -> None:
    with pytest.raises(ConfigError, match="needs the Kedro context") as error:
        _ = Fixed(token="t").kedro_context
    assert "pass_context: true" in str(error.value)


def test_both_methods_must_be_written() -> None:
    class Half(RequestHeaderProviderWithKedroContext):
        def in_context(self) -> bool:
            return True

    with pytest.raises(TypeError, match="request_headers"):
        Half()


def test_mlflow_knows_it_as_one_of_its_own() -> None:
    from mlflow.tracking.request_header.abstract_request_header_provider import RequestHeaderProvider

    assert issubclass(RequestHeaderProviderWithKedroContext, RequestHeaderProvider)


def test_only_the_newest_speaks() -> None:
    first = Fixed(token="1")
    assert first.in_context()
    second = Fixed(token="2")
    assert [first.in_context(), second.in_context()] == [False, True]
    with pytest.raises(KeyError):
        Broken()
    assert second.in_context()
    del second
    gc.collect()
    assert first.in_context()


class Broken(Fixed):
    def __init__(self) -> None:
        super().__init__()
        self.params["missing"]


def test_a_provider_that_does_not_want_to_speak_is_not_made_to() -> None:
    class Shy(Fixed):
        def in_context(self) -> bool:
            return False

    assert not Shy(token="1").in_context()


def test_two_context_loads_send_one_header(guard: Guard, quiet_mlflow: None) -> None:
    guard.lets_in = lambda authorization: authorization == "Bearer 2"
    for token in ("1", "2"):
        register(Fixed(token=token))
    assert client(guard.url).get_experiment("0").name == "Default"
    assert set(guard.seen) == {"Bearer 2"}


def test_an_error_stops_the_request_and_is_raised(guard: Guard, quiet_mlflow: None) -> None:
    from mlflow.exceptions import MlflowException

    guard.lets_in = lambda _: True
    register(Failing())
    with pytest.raises(MlflowException, match="The vault is closed where: the vault cure: open it"):
        client(guard.url).get_experiment("0")
    assert guard.seen == []


def test_an_error_stops_the_request_also_where_another_provider_has_a_header(guard: Guard, quiet_mlflow: None) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.tracking.request_header.abstract_request_header_provider import RequestHeaderProvider

    class Other(RequestHeaderProvider):
        def in_context(self) -> bool:
            return True

        def request_headers(self) -> dict[str, str]:
            return {"Authorization": "Bearer other"}

    register(Other())
    register(Failing())
    with pytest.raises(MlflowException, match="The vault is closed"):
        client(guard.url).get_experiment("0")
    assert guard.seen == []


def test_to_others_than_mlflow_an_error_is_an_error() -> None:
    with pytest.raises(AuthError, match="The vault is closed"):
        Failing().request_headers()


def test_an_error_of_a_base_class_is_an_error_once() -> None:
    class Wrapped(Failing):
        def in_context(self) -> bool:
            return super().in_context()

        def request_headers(self) -> dict[str, str]:
            return {**super().request_headers(), "X": "y"}

    provider = Wrapped()
    assert provider.in_context()
    assert provider.request_headers()["Authorization"].startswith("\n")
    with pytest.raises(AuthError):
        provider.request_headers()


def test_params_are_not_shown() -> None:
    assert repr(Fixed(token="sesame")) == "Fixed(token)"


@pytest.fixture
def documented(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The provider of the docstring, from a file of its own, word for word."""
    text = RequestHeaderProviderWithKedroContext.__doc__ or ""
    snippet = re.search(r"::\n\n(.*?)\n\n    It need not", text, flags=re.S)
    assert snippet
    (tmp_path / "my_auth.py").write_text(textwrap.dedent(snippet[1]))
    monkeypatch.syspath_prepend(str(tmp_path))
    import my_auth  # type: ignore[import-not-found]

    yield my_auth.MyHeaderProvider
    del sys.modules["my_auth"]


def test_the_documented_provider(
    documented: Any, guard: Guard, quiet_mlflow: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard.lets_in = lambda authorization: authorization == "Bearer ci:sesame"
    monkeypatch.setenv("MY_SECRET", "sesame")
    register(documented(context(tmp_path), user="ci"))
    client(guard.url).get_experiment("0")
    # Cached: what changes meanwhile is not looked at.
    monkeypatch.setenv("MY_SECRET", "changed")
    client(guard.url).get_experiment("0")
    assert guard.seen == ["Bearer ci:sesame"] * 2


def test_the_documented_provider_is_given_what_mlflow_yml_lacks(
    documented: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SECRET", "s")
    assert documented(context(tmp_path)).request_headers() == {"Authorization": "Bearer from-kubeflow:s"}


def test_the_module_documents_where_it_is_named() -> None:
    assert "pass_context: true" in (module.__doc__ or "")
