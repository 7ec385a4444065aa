"""A provider of somebody's own, whose faults are told as what they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kedro_kubeflow.auth.credentials.provider import AuthProvider
from kedro_kubeflow.errors import AuthError, KedroKubeflowError


class Guarded:
    """Hands on to a provider; what it raises names its class.

    Args:
        provider: the provider.
        name: what kubeflow.yml calls it.
    """

    def __init__(self, provider: AuthProvider, name: str) -> None:
        self.provider = provider
        self._name = name

    def headers(self) -> dict[str, str]:
        """See `AuthProvider`."""
        with self._errors():
            return self.provider.headers()

    def renew(self) -> bool:
        """See `AuthProvider`."""
        with self._errors():
            return self.provider.renew()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except KedroKubeflowError:
            raise
        except Exception as error:
            raise AuthError(
                f"{self._name} gives no credentials: {type(error).__name__}: {error}",
                where="kubeflow.yml: auth",
                cure="mend the class, or its `options`",
            ) from error

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return repr(self.provider)
