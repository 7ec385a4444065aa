"""What stands before an MLflow server: a proxy whose refusals have none of MLflow's fields."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

_LOG = logging.getLogger(__name__)
_FIELDS = {"error_code", "message"}
_ENDPOINT = "/api/2.0/mlflow/experiments/search"
_SECONDS = 10


def refused_by_front(error: Exception) -> int | None:
    """The HTTP status with which a front refuses, where an error of MLflow may stem from one; None otherwise.

    MLflow drops the status of an answer whose body is JSON, as oauth2-proxy's ``{}`` is; it is asked for once more.
    """
    said: Any = getattr(error, "json", None)
    if not isinstance(said, Mapping) or _FIELDS & said.keys():
        return None
    status = _status()
    return status if status in (401, 403, 407) else None


def _status() -> int | None:
    import mlflow
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    try:
        answer = http_request(
            get_default_host_creds(mlflow.get_tracking_uri()),
            _ENDPOINT,
            "POST",
            json={"max_results": 1},
            timeout=_SECONDS,
            max_retries=0,
            raise_on_status=False,
        )
    except Exception as error:
        # Whatever it is, the error at hand is the one to tell.
        _LOG.debug("MLflow's front does not answer: %s", type(error).__name__)
        return None
    return int(answer.status_code)
