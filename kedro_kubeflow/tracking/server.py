"""The tracking server: wait for it, and say in one error what is wrong with it."""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from kedro_kubeflow.auth.mlflow.unsent import why_unsent
from kedro_kubeflow.errors import TrackingError
from kedro_kubeflow.tracking.front import refused_by_front
from kedro_kubeflow.tracking.redaction import redacted
from kedro_kubeflow.tracking.tags import one_line

if TYPE_CHECKING:
    from mlflow import MlflowClient

# A name that does not resolve is most often wrong; a server that does not answer is most often on its way.
PATIENCE_WITH_NAMES = 15.0
_CONNECT_SECONDS = 10.0

_REFUSED_CODES = ("UNAUTHENTICATED", "PERMISSION_DENIED")
_NO_ANSWER = re.compile(r"^API request to \S+ failed with (timeout )?exception")
_REFUSED_TEXT = re.compile(r"\berror code 40[13]\b")


def client(uri: str | None = None) -> MlflowClient:
    """A client of the tracking server that the process is set up for, or of another."""
    from mlflow import MlflowClient

    return MlflowClient(uri)


def shown(uri: str) -> str:
    """An address as people may see it: without the user and the password that it may hold.

    >>> shown("https://ann:secret@mlflow.example.com/x")
    'https://mlflow.example.com/x'
    """
    parts = urlsplit(uri)
    if not parts.scheme.startswith("http"):
        return redacted(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def await_server(uri: str | None, patience: float) -> None:
    """Return when somebody listens at the address; what is no address of a server is not asked.

    MLflow itself would try each request for minutes and then show a stack of connection errors, also where the address
    is simply wrong.

    Args:
        patience: seconds until it counts as an error that nobody does.

    Raises:
        TrackingError: nobody listens.
    """
    parts = urlsplit(uri or "")
    if parts.scheme not in ("http", "https") or not parts.hostname or _has_proxy(parts.scheme, parts.hostname):
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    since, told = time.monotonic(), False
    while (error := _connection_error(parts.hostname, port, min(_CONNECT_SECONDS, patience))) is not None:
        limit = min(patience, PATIENCE_WITH_NAMES) if isinstance(error, socket.gaierror) else patience
        if time.monotonic() - since > limit:
            raise _unreachable(parts.scheme, parts.hostname, port, error, limit)
        if not told:
            logging.getLogger(__name__).warning("The MLflow server does not answer (%s); waiting for it", error)
            told = True
        time.sleep(min(1.0, limit / 10))


def _connection_error(host: str, port: int, seconds: float) -> OSError | None:
    try:
        socket.create_connection((host, port), timeout=max(seconds, 0.1)).close()
    except OSError as error:
        return error
    return None


def _has_proxy(scheme: str, host: str) -> bool:
    """Whether requests go through a proxy; then only the proxy's own answer says anything."""
    from urllib.request import getproxies, proxy_bypass

    return scheme in getproxies() and not proxy_bypass(host)


def _unreachable(scheme: str, host: str, port: int, error: OSError, seconds: float) -> TrackingError:
    unknown = isinstance(error, socket.gaierror)
    return TrackingError(
        f"The MLflow server's name is not known here: {error}"
        if unknown
        else f"The MLflow server does not answer, and did not for {seconds:.0f} seconds: {error}",
        where=f"{scheme}://{host}:{port}",
        cure="mend the address (server.mlflow_tracking_uri in mlflow.yml, or MLFLOW_TRACKING_URI): steps run in pods, which "
        "may know the server by another name than this machine"
        if unknown
        else "start the server, or mend the address (server.mlflow_tracking_uri in mlflow.yml, or MLFLOW_TRACKING_URI); "
        "check that network policies let pods reach it",
    )


def has_given_up(error: BaseException) -> bool:
    """Whether MLflow has waited in vain for its server, for as long as it does."""
    seen: BaseException | None = error
    while seen is not None:
        if type(seen).__name__ == "MlflowException" and _NO_ANSWER.search(str(seen)):
            return True
        seen = seen.__cause__
    return False


@contextmanager
def tracking_errors() -> Iterator[None]:
    """Turn what MLflow raises into an error that names the server and the cure."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    try:
        yield
    except (MlflowException, RequestException) as error:
        raise _explained(error) from error


def _explained(error: Exception) -> TrackingError:
    import mlflow

    # Before an address is set, MLflow gives one of its own, which nobody has written anywhere.
    where = (
        shown(mlflow.get_tracking_uri()) if mlflow.is_tracking_uri_set() else "mlflow.yml, server.mlflow_tracking_uri"
    )
    if missing := why_unsent(str(error)):
        return TrackingError(f"No request is sent to MLflow: {missing[0]}", where=where, cure=missing[1])
    if status := refused_by_front(error):
        return TrackingError(
            f"A proxy or gateway before the MLflow server refuses the credentials ({status}); the token may have expired",
            where=where,
            cure="check the request header provider in mlflow.yml, and that its token is renewed (`token_file`, "
            "`token_command`) for as long as the step takes",
        )
    if "filesystem tracking backend" in str(error):
        return TrackingError(
            "MLflow refuses to log to a folder, which is what it does where no server is named",
            where="mlflow.yml, server.mlflow_tracking_uri",
            cure="name a server there that steps reach (`kedro mlflow init` writes the file), or MLFLOW_TRACKING_URI in "
            "run_config.env; or switch tracking off (run_config.mlflow.enabled: false)",
        )
    what, cure = _words(error)
    return TrackingError(f"{what}: {one_line(error)}", where=where, cure=cure)


def _words(error: Exception) -> tuple[str, str]:
    text = str(error)
    code = getattr(error, "error_code", "")
    if "Invalid Host header" in text:
        return "MLflow does not know the name under which it is asked", (
            "start the server with --allowed-hosts and the names that pods use for it"
        )
    if code in _REFUSED_CODES or _REFUSED_TEXT.search(text):
        return "MLflow refuses the request", (
            "check the credentials: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN (of steps in "
            "run_config.env, from a secret), or the request header provider in mlflow.yml; and what that user may do"
        )
    if code == "RESOURCE_DOES_NOT_EXIST" or re.search(
        r"'?(active|deleted)'? (state|lifecycle)|deleted experiment", text
    ):
        return "What is asked for is not there, or was deleted", (
            "restore the run or its experiment in MLflow, or start a new pipeline run"
        )
    if "unsupported URI" in text:
        return (
            "MLflow does not know such an address",
            "mend it: server.mlflow_tracking_uri or mlflow_registry_uri in mlflow.yml",
        )
    if "valid JSON" in text:
        return "This is not MLflow's own answer", (
            "a sign-in page may stand before the server: set a request header provider in mlflow.yml"
        )
    return "MLflow cannot be used", "check that the server is up and that steps can reach it under this address"
