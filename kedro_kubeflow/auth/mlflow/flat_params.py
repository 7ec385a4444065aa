"""Credentials from flat parameters: strings, as ``init_kwargs`` of mlflow.yml and environment variables are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kedro_kubeflow.auth.credentials.basic import BasicCredentials
from kedro_kubeflow.auth.credentials.bearer import BearerToken
from kedro_kubeflow.auth.credentials.provider import AuthProvider
from kedro_kubeflow.auth.credentials.secret import SecretSource, source_of
from kedro_kubeflow.auth.google.id_token import GoogleIdToken
from kedro_kubeflow.config.auth import Secret
from kedro_kubeflow.config.model import parse
from kedro_kubeflow.errors import AuthError

ENV_PREFIX = "KEDRO_KUBEFLOW_MLFLOW_"
KINDS = ("env", "file", "command")


def bearer(params: Mapping[str, Any], *, where: str) -> AuthProvider:
    """A token from ``token_env``, ``token_file`` or ``token_command``; ``scheme`` if it is not ``Bearer``.

    Without any of them, the variable ``KEDRO_KUBEFLOW_MLFLOW_TOKEN`` is read.
    """
    token = _secret(params, "token", where=where)
    return BearerToken(token, scheme=str(params.get("scheme", "Bearer")))


def command(params: Mapping[str, Any], *, where: str) -> AuthProvider:
    """A token, or a whole ``Authorization`` value, printed by ``command``; it holds for ``ttl`` seconds."""
    argv = _required(params, "command", where=where, cure="name a program and its arguments")
    reference: dict[str, Any] = {"command": argv}
    if "ttl" in params:
        reference["ttl"] = params["ttl"]
    source = source_of(parse(Secret, reference, where=where))
    return BearerToken(source, scheme=str(params.get("scheme", "Bearer")))


def basic(params: Mapping[str, Any], *, where: str) -> AuthProvider:
    """``username``, and a password from ``password_env``, ``password_file`` or ``password_command``.

    Without any of these three, the variable ``KEDRO_KUBEFLOW_MLFLOW_PASSWORD`` is read.
    """
    if any(params.get(f"username_{kind}") for kind in KINDS):
        return BasicCredentials(_secret(params, "username", where=where), _secret(params, "password", where=where))
    username = str(_required(params, "username", where=where, cure="name the user"))
    return BasicCredentials(username, _secret(params, "password", where=where))


def google_oauth(params: Mapping[str, Any], *, where: str) -> AuthProvider:
    """An ID token of the ambient credentials for the OAuth client ``client_id``."""
    return GoogleIdToken(_client_id(params, where))


def google_iam(params: Mapping[str, Any], *, where: str) -> AuthProvider:
    """An ID token for ``client_id`` by impersonating ``service_account``."""
    account = _required(
        params,
        "service_account",
        where=where,
        cure="name the service account that the server lets in (…@….iam.gserviceaccount.com)",
    )
    return GoogleIdToken(_client_id(params, where), str(account))


def _client_id(params: Mapping[str, Any], where: str) -> str:
    cure = "name the OAuth client that guards the server (….apps.googleusercontent.com)"
    return str(_required(params, "client_id", where=where, cure=cure))


def _required(params: Mapping[str, Any], name: str, *, where: str, cure: str) -> Any:
    value = params.get(name)
    if value is None or not str(value).strip():
        raise AuthError(f"The parameter {name!r} is missing", where=where, cure=cure)
    return value.strip() if isinstance(value, str) else value


def _secret(params: Mapping[str, Any], name: str, *, where: str) -> SecretSource:
    if params.get(name):
        raise AuthError(
            f"The parameter {name!r} holds a secret in clear",
            where=where,
            cure=f"name an environment variable, a file or a command: `{name}_env`, `{name}_file`, `{name}_command`",
        )
    given = {kind: params[f"{name}_{kind}"] for kind in KINDS if params.get(f"{name}_{kind}")}
    if "ttl" in params:
        given["ttl"] = params["ttl"]
    if not given.keys() & set(KINDS):
        given["env"] = f"{ENV_PREFIX}{name.upper()}"
    return source_of(parse(Secret, given, where=f"{where} ({name}_…)"))


OURS = "kedro_kubeflow.auth."
_TOKEN = {"token", "token_env", "token_file", "token_command", "ttl", "scheme"}
_BASIC = {f"{name}_{kind}" for name in ("username", "password") for kind in KINDS} | {"username", "password", "ttl"}
_PROVIDERS: dict[str, tuple[Callable[..., AuthProvider], set[str]]] = {
    "BearerTokenRequestHeaderProvider": (bearer, _TOKEN),
    "BasicAuthRequestHeaderProvider": (basic, _BASIC),
    "TokenCommandRequestHeaderProvider": (command, {"command", "ttl", "scheme"}),
    "MLFlowGoogleOauthRequestHeaderProvider": (google_oauth, {"client_id"}),
    "MLFlowGoogleIAMRequestHeaderProvider": (google_iam, {"client_id", "service_account"}),
}


def needs(provider: str) -> tuple[Callable[..., AuthProvider], set[str]] | None:
    """What makes the credentials of a request header provider of this package, and the parameters that it knows.

    Nothing is read or asked for when it is called.

    Args:
        provider: the name of the class.
    """
    return _PROVIDERS.get(provider)


def modules_of(provider: str) -> tuple[str, ...]:
    """The modules that mlflow.yml may name a provider of this package by; none where there is no such provider."""
    if provider not in _PROVIDERS:
        return ()
    if provider.startswith("MLFlowGoogle"):
        return f"{OURS}gcp", f"{OURS}mlflow.google_header_providers"
    return f"{OURS}mlflow", f"{OURS}mlflow.header_providers"


def paths() -> list[str]:
    """The class paths of the providers of this package, as the documentation writes them."""
    return [f"{modules_of(name)[0]}.{name}" for name in _PROVIDERS]
