from __future__ import annotations

from typing import Any

import pytest

from kedro_kubeflow.config.auth import BUILT_IN, AuthConfig, CustomAuth, DexAuth, Secret
from kedro_kubeflow.config.model import Model, parse
from kedro_kubeflow.errors import ConfigError


class Section(Model):
    auth: AuthConfig | None = None
    """How to authenticate."""


def read(auth: Any) -> Any:
    return parse(Section, {"auth": auth}, where="kubeflow.yml").auth


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "none"},
        {"type": "bearer", "token": {"env": "TOKEN"}},
        {"type": "basic", "username": "me", "password": {"file": "/run/secret"}},
        {"type": "cookie", "value": {"command": ["get-cookie", "--fresh"]}},
        {"type": "kubernetes", "service_account": "default-editor", "namespace": "team"},
        {"type": "iap", "client_id": "c.apps.googleusercontent.com"},
        {"type": "google"},
        {"type": "dex", "username": {"env": "ME"}, "connector": "ldap"},
        {"type": "oidc", "issuer": "https://id", "client_id": "c", "client_secret": {"env": "S"}},
    ],
    ids=lambda auth: str(auth["type"]),
)
def test_each_type_has_its_own_keys(auth: dict[str, Any]) -> None:
    config = read(auth)
    assert type(config) is BUILT_IN[auth["type"]]
    assert config.model_dump(exclude_unset=True).keys() == auth.keys()


def test_a_name_alone_is_enough_where_the_rest_has_defaults() -> None:
    assert read("dex") == DexAuth(type="dex")
    assert read(None) is None


def test_a_class_path_is_a_type() -> None:
    assert read({"type": "my.auth.Provider", "options": {"a": 1}}) == CustomAuth(
        type="my.auth.Provider", options={"a": 1}
    )


@pytest.mark.parametrize(
    ("auth", "said"),
    [
        ({"type": "dexx"}, "'dexx' is no known way to authenticate. Did you mean 'dex'?"),
        ({"client_id": "x"}, "`type` is missing. Known: none, bearer"),
        (5, "a mapping with a `type` is needed"),
        ({"type": "dex", "usernme": "x"}, "unknown key 'auth.usernme'. Did you mean 'username'"),
        ({"type": "bearer"}, "'auth.token' is missing"),
        ({"type": "bearer", "token": {"env": "A", "file": "b"}}, "exactly one is needed"),
        ({"type": "bearer", "token": {}}, "exactly one is needed"),
        ({"type": "bearer", "token": {"command": []}}, "a program and its arguments are needed"),
        ({"type": "oidc", "client_id": "c", "client_secret": {"env": "S"}}, "one of `issuer` and `token_url`"),
        (
            {"type": "oidc", "client_id": "c", "client_secret": {"env": "S"}, "token_url": "id.example.com"},
            "'id.example.com' has no scheme; write it as https://id.example.com",
        ),
    ],
)
def test_what_is_wrong_is_said(auth: Any, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(auth)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "auth",
    [
        {"type": "bearer", "token": "sesame"},
        {"type": "bearer", "token": ["sesame"]},
        {"type": "bearer", "token": {"value": "sesame"}},
        {"type": "bearer", "token": {"env": "ses.ame"}},
        {"type": "dex", "password": "sesame"},
        {"type": "basic", "username": "me", "password": "sesame"},
        {"type": "oidc", "token_url": "https://id", "client_id": "c", "client_secret": "sesame"},
        {"type": "cookie", "value": "sesame", "name": "session"},
        {"type": "dex", "token": "sesame"},
    ],
)
def test_a_secret_in_clear_is_refused_without_being_quoted(auth: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as error:
        read(auth)
    assert "sesame" not in str(error.value)
    assert "ses.ame" not in str(error.value)


def test_a_command_is_shown_without_its_arguments() -> None:
    secret = Secret(command="vault read --token=sesame")
    assert f"{secret} {secret!r}" == "command vault command vault"
