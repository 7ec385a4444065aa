"""The login of a person at the configured server: begun, tried there, and ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kedro_kubeflow.config.auth import BrowserAuth
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.errors import ConfigError
from kedro_kubeflow.targets.kubeflow.configured import connect_to, surroundings_of
from kedro_kubeflow.targets.kubeflow.rights import user_of

if TYPE_CHECKING:
    from kedro_kubeflow.auth.kubeflow.login import Person

Show = Callable[[str, str], None]


def begin_login(config: KubeflowConfig, *, open_browser: Callable[[str], None], show: Show | None = None) -> Person:
    """Log in at the provider that the section `auth` names.

    Args:
        open_browser: shows the provider's page.
        show: tells the address and the code for another device, where the login is to happen there.

    Raises:
        ConfigError: another way to authenticate is configured.
        AuthError: nobody came, or the provider refuses.
        ServerError: the provider does not answer.
    """
    from kedro_kubeflow.auth.kubeflow.login import log_in, log_in_elsewhere

    auth, around = _browser(config), surroundings_of(config)
    return log_in_elsewhere(auth, around, show=show) if show else log_in(auth, around, open_browser=open_browser)


def known_as(config: KubeflowConfig) -> str | None:
    """Who the server says one is, now; None where it has no users.

    Raises:
        AuthError: it, or what stands before it, does not take the login; the error says what is missing there.
        ServerError: it does not answer.
    """
    server = connect_to(config).server
    return user_of(server) if server.multi_user else None


def end_login(config: KubeflowConfig) -> bool:
    """Forget the login, here and at the provider; whether there was one.

    Raises:
        ConfigError: another way to authenticate is configured.
    """
    from kedro_kubeflow.auth.kubeflow.login import log_out

    return log_out(_browser(config), surroundings_of(config))


def issuer_of(config: KubeflowConfig) -> str:
    """The provider that one logs in at. Raises as `begin_login` does."""
    return _browser(config).issuer


def _browser(config: KubeflowConfig) -> BrowserAuth:
    if isinstance(config.auth, BrowserAuth):
        return config.auth
    what = (
        f"`auth` is {config.auth.type!r}, which" if config.auth else "No `auth` is configured, and what is found alone"
    )
    raise ConfigError(
        f"{what} needs no login beforehand",
        where="kubeflow.yml, auth",
        cure="for a person's login in a browser, write `auth: {type: browser, issuer: https://…}`",
    )
