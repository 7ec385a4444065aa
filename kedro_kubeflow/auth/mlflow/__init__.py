"""Credentials for MLflow: request header providers for mlflow.yml, and their siblings for ``MLFLOW_TRACKING_AUTH``.

mlflow.yml names the providers by this package, such as
``kedro_kubeflow.auth.mlflow.BearerTokenRequestHeaderProvider``. They are loaded when they are asked for, as they bring
in MLflow.
"""

from __future__ import annotations

from typing import Any

PROVIDERS = ("BasicAuthRequestHeaderProvider", "BearerTokenRequestHeaderProvider", "TokenCommandRequestHeaderProvider")


def __getattr__(name: str) -> Any:
    if name not in PROVIDERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from kedro_kubeflow.auth.mlflow import header_providers

    return getattr(header_providers, name)
