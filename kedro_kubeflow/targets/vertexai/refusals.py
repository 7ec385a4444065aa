"""Foreign errors → ours: the one place of this room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kedro_kubeflow.auth.google.ambient import LET_IN
from kedro_kubeflow.auth.google.errors import google_errors
from kedro_kubeflow.config.vertexai import VertexAIConfig
from kedro_kubeflow.errors import AuthError, KedroKubeflowError, ServerError
from kedro_kubeflow.targets.base.waiting import ServerAway


@contextmanager
def vertex_errors(config: VertexAIConfig, doing: str) -> Iterator[None]:
    """Errors of Google's client, of its credentials and of the network become ours.

    Args:
        doing: what is being done, as in "start the job 'x'".

    Raises:
        AuthError: there are no credentials, or Vertex AI does not know or does not let them.
        ServerAway: it cannot be reached, or not now.
        ServerError: it refuses, or fails.
    """
    from google.api_core.exceptions import GoogleAPICallError
    from requests.exceptions import RequestException

    try:
        with google_errors(place_of(config), cure=LET_IN):
            yield
    except GoogleAPICallError as error:
        raise _of_answer(error, config, doing) from error
    except RequestException as error:
        kind = ServerAway if passes(error) else ServerError
        raise kind(
            f"Could not {doing}: Vertex AI cannot be reached: {_one_line(str(error))}",
            where=place_of(config),
            cure="check the network, HTTPS_PROXY, and `vertexai.region` in kubeflow.yml",
        ) from error


def place_of(config: VertexAIConfig) -> str:
    """What Vertex AI is called in a message."""
    at = f", {config.api_endpoint}" if config.api_endpoint else ""
    return f"Vertex AI, project {config.project_id}, region {config.region}{at}"


def passes(error: BaseException) -> bool:
    """Whether the same request may do better in a moment."""
    from google.api_core import exceptions as api
    from requests import exceptions as http

    brief = (api.TooManyRequests, api.InternalServerError, api.BadGateway, api.ServiceUnavailable, api.GatewayTimeout)
    return isinstance(error, (*brief, http.ConnectionError, http.Timeout, http.ChunkedEncodingError))


def _of_answer(error: Any, config: VertexAIConfig, doing: str) -> KedroKubeflowError:
    # The HTTP client begins its messages with the request.
    message = _one_line(re.sub(r"^[A-Z]+ \S+: ", "", str(error.message or error)))
    what, where, code = f"Could not {doing}: {message}", place_of(config), int(error.code or 0)
    if code == 401:
        return AuthError(f"Could not {doing}: Vertex AI does not know you: {message}", where=where, cure=LET_IN)
    if code == 403:
        return AuthError(f"Could not {doing}: Vertex AI does not let you: {message}", where=where, cure=_may(message))
    kind = ServerAway if passes(error) else ServerError
    for sign, cure in _CURES.items():
        if re.search(sign, message, flags=re.IGNORECASE):
            return kind(what, where=where, cure=cure)
    return kind(what, where=where, cure="try again later" if code >= 500 or code == 429 else None)


def _may(message: str) -> str:
    if "has not been used" in message or "is disabled" in message:
        return "enable the Vertex AI API: gcloud services enable aiplatform.googleapis.com"
    if "actAs" in message or "iam.serviceAccounts" in message:
        return "grant yourself roles/iam.serviceAccountUser on `vertexai.service_account`"
    return "grant yourself roles/aiplatform.user in the project, and check `vertexai.project_id` in kubeflow.yml"


_CURES = {
    r"quota": "wait for other runs to end, or ask for more quota in the console (IAM & Admin, Quotas)",
    r"bucket|storage\.objects": "check that the bucket of `vertexai.root` is there, and that the steps' service account may "
    "read and write it (roles/storage.objectUser)",
    r"network|peer": "check `vertexai.network.vpc`: it needs private services access",
    r"not found|is not supported": "check `vertexai.project_id` and `vertexai.region` in kubeflow.yml",
}


def _one_line(text: str, longest: int = 400) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
