"""From the section `auth` to a provider: by name, by entry point, or by class path."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Any

from kedro_kubeflow.auth.credentials.provider import AuthProvider, Surroundings
from kedro_kubeflow.auth.kubeflow.custom import Guarded
from kedro_kubeflow.auth.kubeflow.detection import detect
from kedro_kubeflow.auth.kubeflow.none import undetected
from kedro_kubeflow.config.auth import ENTRY_POINTS, AuthConfig, CustomAuth, NoAuth
from kedro_kubeflow.errors import ConfigError, DependencyError, KedroKubeflowError

# type → module with a function `from_config`; loaded when it is chosen.
MODULES = {
    "none": "kedro_kubeflow.auth.kubeflow.none",
    "bearer": "kedro_kubeflow.auth.credentials.bearer",
    "basic": "kedro_kubeflow.auth.credentials.basic",
    "cookie": "kedro_kubeflow.auth.kubeflow.cookie",
    "kubernetes": "kedro_kubeflow.auth.kubeflow.kubernetes",
    "iap": "kedro_kubeflow.auth.kubeflow.iap",
    "google": "kedro_kubeflow.auth.google.access_token",
    "dex": "kedro_kubeflow.auth.kubeflow.dex",
    "oidc": "kedro_kubeflow.auth.kubeflow.oidc",
    "browser": "kedro_kubeflow.auth.kubeflow.browser",
}
WHERE = "kubeflow.yml: auth"


def from_config(
    config: AuthConfig | None,
    *,
    host: str,
    env: Mapping[str, str] | None = None,
    verify: bool | str = True,
    client_cert: str | tuple[str, str] | None = None,
) -> AuthProvider:
    """The provider that the section `auth` describes, or, without one, the one that the environment calls for.

    Nothing is asked of anybody yet: that happens with the first `headers`.

    Args:
        config: one of the models of `kedro_kubeflow.config.auth`.
        host: the server's address, with scheme and path.
        env: the environment variables; the process' own if they are not given.
        verify: whether to check certificates, or the file of the CA to check them against.
        client_cert: our own certificate: a file that holds the key too, or both files.

    Raises:
        AuthError: something that the provider needs is missing.
        ConfigError: a provider of your own cannot be made.
    """
    around = Surroundings(host.rstrip("/"), os.environ if env is None else env, verify, client_cert)
    if config is None:
        config = detect(around.host, around.env)
        if isinstance(config, NoAuth):
            return undetected(around.env)
    if isinstance(config, CustomAuth):
        return _custom(config, around)
    provider: AuthProvider = importlib.import_module(MODULES[config.type]).from_config(config, around)
    return provider


def _custom(config: CustomAuth, around: Surroundings) -> AuthProvider:
    """A provider of your own: a class, or any callable, that takes ``(options, surroundings)``."""
    factory = _factory(config.type)
    try:
        provider = factory(dict(config.options), around)
    except TypeError as error:
        raise ConfigError(
            f"{config.type} cannot be made: {error}",
            where=WHERE,
            cure="it is called with (options: dict, surroundings)",
        ) from error
    except KedroKubeflowError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{config.type} cannot be made: {type(error).__name__}: {error}",
            where=WHERE,
            cure="check `options`, or the class itself",
        ) from error
    if not isinstance(provider, AuthProvider):
        raise ConfigError(
            f"{config.type} makes no authentication provider",
            where=WHERE,
            cure="what it makes needs the methods `headers() -> dict` and `renew() -> bool`",
        )
    return Guarded(provider, config.type)


def _factory(name: str) -> Callable[[dict[str, Any], Surroundings], Any]:
    for entry_point in entry_points(group=ENTRY_POINTS, name=name):
        factory: Callable[[dict[str, Any], Surroundings], Any] = entry_point.load()
        return factory
    module, _, attribute = name.replace(":", ".").rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute)  # type: ignore[no-any-return]
    except ImportError as error:
        raise DependencyError(
            f"{name} cannot be imported: {error}", where=WHERE, cure="install the package, or mend the class path"
        ) from error
    except AttributeError:
        raise ConfigError(f"The module {module} has no {attribute}", where=WHERE, cure="mend the class path") from None
