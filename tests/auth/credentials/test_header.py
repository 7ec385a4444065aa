from __future__ import annotations

import base64

import pytest

from kedro_kubeflow.auth.credentials.basic import BasicCredentials
from kedro_kubeflow.auth.credentials.bearer import BearerToken
from kedro_kubeflow.auth.credentials.header import authorization
from kedro_kubeflow.auth.credentials.provider import AuthProvider
from kedro_kubeflow.auth.credentials.secret import source_of
from kedro_kubeflow.config.auth import Secret
from kedro_kubeflow.errors import AuthError


@pytest.mark.parametrize(
    ("secret", "value"),
    [("abc", "Bearer abc"), (" abc\n", "Bearer abc"), ("Basic abc", "Basic abc"), ("Bearer x.y", "Bearer x.y")],
)
def test_a_token_gets_a_scheme_unless_it_has_one(secret: str, value: str) -> None:
    assert authorization(secret) == {"Authorization": value}


@pytest.mark.parametrize("secret", ["sesame\nX-Evil: 1", "sésame", "sesame\x00"])
def test_a_secret_that_no_header_can_hold_is_not_quoted(secret: str) -> None:
    with pytest.raises(AuthError, match="cannot stand in an HTTP header") as error:
        authorization(secret, where="file x")
    assert "sesame" not in str(error.value)


def test_an_empty_secret() -> None:
    with pytest.raises(AuthError, match="empty"):
        authorization("  ")


def test_bearer_with_a_scheme_of_the_servers_own() -> None:
    provider = BearerToken(source_of(Secret(env="T"), {"T": "abc"}), scheme="Token")
    assert provider.headers() == {"Authorization": "Token abc"}
    assert isinstance(provider, AuthProvider)


def test_basic_is_utf8_and_base64() -> None:
    env = {"P": "pä:ss"}
    provider = BasicCredentials("jürgen", source_of(Secret(env="P"), env))
    scheme, _, value = provider.headers()["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(value).decode()) == ("Basic", "jürgen:pä:ss")
    assert not provider.renew()
    assert isinstance(provider, AuthProvider)


def test_basic_with_a_user_name_by_reference() -> None:
    env = {"U": "user", "P": "sesame"}
    provider = BasicCredentials(source_of(Secret(env="U"), env), source_of(Secret(env="P"), env))
    assert provider.headers() == {"Authorization": f"Basic {base64.b64encode(b'user:sesame').decode()}"}
    env["U"] = "us:er"
    with pytest.raises(AuthError, match="no colon"):
        provider.headers()
    assert "sesame" not in repr(provider)
