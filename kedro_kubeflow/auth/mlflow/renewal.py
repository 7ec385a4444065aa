"""A token that MLflow refuses is dropped, and the request is sent once more with a fresh one.

MLflow shows header providers no answers, so the one function that all of its requests go through is wrapped; an ``auth`` object
of requests hears of its answer by a hook, as `requests.auth.HTTPDigestAuth` does.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from typing import Any

from kedro_kubeflow.auth.credentials.provider import AuthProvider

REFUSED = 401
_MARK = "_kedro_kubeflow_renews"
_log = logging.getLogger(__name__)

Fresh = Callable[[], Mapping[str, str] | None]
"""Gives headers that may do better than those that were refused; None where there are none."""


def install(fresh: Fresh) -> None:
    """Let every refused request of MLflow's be sent once more, with what is fresh by then."""
    from mlflow.utils import rest_utils

    # MLflow's own inside: where it is called otherwise one day, refusals are final as they always were.
    original = getattr(rest_utils, "_get_http_response_with_retries", None)
    if original is None or hasattr(original, _MARK):
        return

    @functools.wraps(original)
    def renewing(*args: Any, headers: Mapping[str, str] | None = None, **kwargs: Any) -> Any:
        response = original(*args, headers=headers, **kwargs)
        if getattr(response, "status_code", None) != REFUSED or not _again(kwargs.get("data")):
            return response
        renewed = fresh()
        if not renewed:
            return response
        _log.info("MLflow refuses the credentials; they are asked for anew")
        response.close()
        return original(*args, headers={**(headers or {}), **renewed}, **kwargs)

    setattr(renewing, _MARK, True)
    rest_utils._get_http_response_with_retries = renewing


class RenewingAuth:
    """What requests calls to complete a request (its ``auth=``)."""

    def __init__(self, provider: AuthProvider) -> None:
        self._provider = provider
        self._headers = provider.headers()

    def __call__(self, request: Any) -> Any:
        """Add the headers to a `requests.PreparedRequest`."""
        request.headers.update(self._headers)
        request.register_hook("response", self._once_more)
        return request

    def _once_more(self, response: Any, **kwargs: Any) -> Any:
        if response.status_code != REFUSED or not _again(response.request.body) or not self._provider.renew():
            return response
        # Its connection is free only when it has been read.
        _ = response.content
        response.close()
        request = response.request.copy()
        request.headers.update(self._provider.headers())
        again = response.connection.send(request, **kwargs)
        again.history.append(response)
        again.request = request
        return again


def _again(body: Any) -> bool:
    """Whether a request's body can be sent a second time; a file is wound back."""
    if body is None or isinstance(body, str | bytes):
        return True
    try:
        body.seek(0)
    except (AttributeError, OSError, ValueError):
        return False
    return True
