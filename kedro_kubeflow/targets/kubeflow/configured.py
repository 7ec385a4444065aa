"""The server that a project is configured for."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from kedro_kubeflow.auth.kubeflow import Surroundings, from_config
from kedro_kubeflow.config.kubeflow import KubeflowConfig
from kedro_kubeflow.project.opening import OpenProject
from kedro_kubeflow.targets.kubeflow import KubeflowClient, connect
from kedro_kubeflow.targets.kubeflow.address import Address
from kedro_kubeflow.targets.kubeflow.connection import Patience
from kedro_kubeflow.targets.kubeflow.tls import Tls

if TYPE_CHECKING:
    from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun
    from kedro_kubeflow.targets.kubeflow.told import Report
    from kedro_kubeflow.targets.kubeflow.told_by_mlflow import MlflowTags


def connect_to(config: KubeflowConfig, project: OpenProject | None = None) -> KubeflowClient:
    """A client of the configured server. Nothing is sent yet.

    Args:
        project: whose MLflow server may know more of a run than Kubeflow does.

    Raises:
        ConfigError: no server is configured, or a certificate's file is missing.
        AuthError: the credentials are missing.
    """
    host = Address.parse(config.host).host
    tls = _tls(config)
    return connect(
        config.host,
        ui_host=config.ui_host,
        namespace=config.namespace,
        shares_pipelines=config.pipeline.shared,
        credentials=from_config(config.auth, host=host, verify=tls.verify_option, client_cert=tls.cert_option),
        tls=tls,
        patience=Patience(read=config.request_timeout),
        ask=_mlflow_of(config, project) if project else None,
    )


def _mlflow_of(config: KubeflowConfig, project: OpenProject) -> Callable[[KubeflowRun], Report]:
    """Asks the project's MLflow server, whose address is read only then."""
    return lambda run: mlflow_tags(config, project).of(run)


def mlflow_tags(config: KubeflowConfig, project: OpenProject) -> MlflowTags:
    """The project's MLflow server, as far as it knows of runs."""
    from kedro_kubeflow.project.context import load_context
    from kedro_kubeflow.project.mlflow_plugin import is_installed, mlflow_section, tracking_uri
    from kedro_kubeflow.targets.kubeflow.told_by_mlflow import MlflowTags

    enabled = config.run_config.mlflow.enabled
    if enabled is False or (enabled == "auto" and not is_installed()):
        return MlflowTags(None)
    loader = project.config_loader()
    uri, server = tracking_uri(loader), mlflow_section(loader).get("server") or {}
    # The context takes seconds, and runs the project's hooks: only credentials are worth that.
    credentials = server.get("credentials") or (server.get("request_header_provider") or {}).get("type")
    plain = uri is not None and uri.startswith(("http://", "https://")) and not credentials
    return MlflowTags(uri, None if plain else lambda: load_context(project))


def surroundings_of(config: KubeflowConfig) -> Surroundings:
    """What a way to authenticate may need to know beside its own section; the host may be missing.

    Raises:
        ConfigError: a certificate's file is missing.
    """
    tls = _tls(config)
    return Surroundings(config.host or "", os.environ, tls.verify_option, tls.cert_option)


def _tls(config: KubeflowConfig) -> Tls:
    return Tls(
        ca_cert=config.ssl_ca_cert,
        verify=config.verify_ssl,
        client_cert=config.ssl_client_cert,
        client_key=config.ssl_client_key,
    )
