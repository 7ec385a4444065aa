"""Base class of MLflow request header providers that know the Kedro project.

kedro-mlflow makes one from mlflow.yml and hands it to MLflow, which asks it before each request
(https://mlflow.org/docs/latest/ml/plugins/#request-header-providers)::

    server:
      request_header_provider:
        type: my_project.auth.MyHeaderProvider
        pass_context: true
        init_kwargs:
          user: ci
"""

from __future__ import annotations

import functools
import threading
import weakref
from abc import ABCMeta, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from mlflow.tracking.request_header.abstract_request_header_provider import RequestHeaderProvider

from kedro_kubeflow.auth.mlflow import renewal
from kedro_kubeflow.auth.mlflow.unsent import unsendable
from kedro_kubeflow.errors import ConfigError

PATTERNS = {"kubeflow": ["kubeflow*", "kubeflow*/**", "**/kubeflow*"], "vertexai": ["vertexai*", "vertexai*/**"]}
SECTION = "run_config.mlflow.request_header_provider_params"


class _Counted(ABCMeta):
    """Remembers the instances that were made completely, as long as somebody else does."""

    instances: ClassVar[list[weakref.ref[Any]]] = []

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().__call__(*args, **kwargs)
        _Counted.instances.append(weakref.ref(instance, _Counted.instances.remove))
        return instance


class RequestHeaderProviderWithKedroContext(RequestHeaderProvider, metaclass=_Counted):  # type: ignore[misc]
    """An MLflow request header provider that is given the Kedro context.

    A provider of your own, with a token that is asked for once in five minutes::

        import os

        from cachetools import TTLCache, cached
        from kedro_kubeflow.auth.mlflow.request_header_provider import RequestHeaderProviderWithKedroContext


        class MyHeaderProvider(RequestHeaderProviderWithKedroContext):
            def in_context(self):
                return True

            @cached(TTLCache(1, ttl=300))
            def token(self):
                return f"{self.params['user']}:{os.environ['MY_SECRET']}"

            def request_headers(self):
                return {"Authorization": f"Bearer {self.token()}"}

    It need not care for two habits of MLflow, as this class does:

    - MLflow sends ``Bearer X Bearer X`` where two providers are registered, as two context loads in one process do: of
      all instances, only the newest is ``in_context``.
    - MLflow drops what a provider raises and sends the request *without credentials*: when MLflow asks, an error of
      ``request_headers`` becomes a header that cannot be sent, so that the request fails with the error's text. To
      everybody else the error is raised.

    Args:
        kedro_context: the context; kedro-mlflow gives it where ``pass_context: true`` is set.
        params: values of ``init_kwargs`` (strings only: kedro-mlflow takes no others).

    Attributes:
        params: the same, and what ``run_config.mlflow.request_header_provider_params`` of kubeflow.yml has beside them.
    """

    _asked: ClassVar[threading.local] = threading.local()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        guards: dict[str, Callable[[Any], Any]] = {"in_context": _only_the_newest, "request_headers": _never_without}
        for name in guards.keys() & vars(cls).keys():
            setattr(cls, name, guards[name](getattr(cls, name)))

    def __init__(self, kedro_context: Any = None, **params: Any) -> None:
        self._context = kedro_context
        self.params: dict[str, Any] = {**_params_of(kedro_context), **params}
        renewal.install(_fresh)

    @property
    def kedro_context(self) -> Any:
        """The Kedro context (a `kedro.framework.context.KedroContext`).

        Raises:
            ConfigError: kedro-mlflow was not told to pass it.
        """
        if self._context is None:
            raise ConfigError(
                f"{type(self).__name__} needs the Kedro context",
                where="mlflow.yml: server.request_header_provider",
                cure="set `pass_context: true` there",
            )
        return self._context

    @abstractmethod
    def in_context(self) -> bool:
        """Whether this provider has anything to add; asked before each request."""

    @abstractmethod
    def request_headers(self) -> dict[str, str]:
        """The headers to add to a request, such as ``{"Authorization": "Bearer …"}``."""

    def renew(self) -> bool:
        """Forget what is cached, as MLflow has refused it (401); the request is then sent once more.

        Returns:
            Whether `request_headers` may now give something else. A provider that does not say so is not asked again.
        """
        return False

    def __repr__(self) -> str:
        # Values may be anything, also secrets.
        return f"{type(self).__name__}({', '.join(sorted(self.params))})"


def _newest() -> Any:
    """The newest instance that is alive, of whatever class."""
    return next((instance for ref in _Counted.instances[::-1] if (instance := ref()) is not None), None)


def _fresh() -> dict[str, str] | None:
    """Headers in place of those that were refused; None where there can be no others."""
    provider = _newest()
    if provider is None or not (provider.in_context() and provider.renew()):
        return None
    headers: dict[str, str] = provider.request_headers()
    return headers


def _only_the_newest(in_context: Callable[[Any], bool]) -> Callable[[Any], bool]:
    @functools.wraps(in_context)
    def newest_in_context(self: RequestHeaderProviderWithKedroContext) -> bool:
        answer = _newest() is self and bool(in_context(self))
        # MLflow asks for the headers next, in this very thread.
        self._asked.by_mlflow = answer
        return answer

    return newest_in_context


def _never_without(request_headers: Callable[[Any], dict[str, str]]) -> Callable[[Any], dict[str, str]]:
    @functools.wraps(request_headers)
    def headers_or_refusal(self: RequestHeaderProviderWithKedroContext) -> dict[str, str]:
        asked_by_mlflow = getattr(self._asked, "by_mlflow", False)
        self._asked.by_mlflow = False
        try:
            return request_headers(self)
        except Exception as error:
            if not asked_by_mlflow:
                raise
            return unsendable(error)

    return headers_or_refusal


def _params_of(kedro_context: Any) -> dict[str, Any]:
    """What kubeflow.yml says, or a vertexai.yml of kedro-vertexai; nothing where there is no such file."""
    loader = getattr(kedro_context, "config_loader", None)
    if loader is None:
        return {}
    if hasattr(loader, "merge_strategy"):
        # Kedro's own way would let an environment's run_config replace the whole of base's.
        loader.merge_strategy.setdefault("kubeflow", "soft")
    return {**_params_in(loader, "vertexai"), **_params_in(loader, "kubeflow")}


def _params_in(loader: Any, file: str) -> dict[str, Any]:
    from kedro.config import MissingConfigException

    if hasattr(loader, "config_patterns"):
        loader.config_patterns.setdefault(file, PATTERNS[file])
    try:
        section: Any = loader[file]
    except (MissingConfigException, KeyError):
        return {}
    for key in SECTION.split("."):
        if section is None:
            return {}
        if not isinstance(section, Mapping):
            where = f"{file}.yml: {SECTION}"
            raise ConfigError(f"a mapping is needed here, not {type(section).__name__}", where=where)
        section = section.get(key)
    return dict(section or {})
