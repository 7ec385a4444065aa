"""A project's MLflow server, asked from this machine: as its own configuration says, and without much patience."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.errors import TrackingError
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.tracking.variables import variables

SECONDS = 3.0
"""How long the server may take to accept a connection."""
# MLflow would try each request for minutes, and tell of each run that it ends.
_IMPATIENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def mlflow_address(project: OpenProject, config: KubeflowConfig) -> str | None:
    """The address of the server; None where the project's runs are not tracked."""
    from kedro_kubeflow.project.mlflow_plugin import is_installed, tracking_uri

    enabled = config.run_config.mlflow.enabled
    tracked = enabled is True or (enabled == "auto" and is_installed())
    return tracking_uri(project.config_loader()) if tracked else None


@contextlib.contextmanager
def mlflow_from_here(project: OpenProject, config: KubeflowConfig) -> Iterator[Any]:
    """A client of it; what is logged meanwhile does not get between what is printed for programs.

    Raises:
        TrackingError: there is none, or it does not answer.
        Exception: whatever a hook of the project, or MLflow, raises.
    """
    from kedro_kubeflow.project.context import load_context
    from kedro_kubeflow.tracking.server import await_server, client

    uri = mlflow_address(project, config)
    if uri is None:
        raise TrackingError("The project's runs are not tracked in MLflow")
    await_server(uri, SECONDS)
    with impatient():
        load_context(project)
        yield client()


@contextlib.contextmanager
def impatient() -> Iterator[None]:
    """Few and short tries."""
    with (
        variables({n: v for n, v in _IMPATIENT.items() if n not in os.environ}),
        contextlib.redirect_stdout(sys.stderr),
    ):
        yield
