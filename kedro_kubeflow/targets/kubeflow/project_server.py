"""The project's Kubeflow Pipelines server."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_kubeflow.auth.kubeflow import Surroundings, from_config
from kedro_kubeflow.config.kubeflow import KubeflowConfig, read_config
from kedro_kubeflow.names import pipeline_name
from kedro_kubeflow.plan.selection import selected
from kedro_kubeflow.project.conf import read_kubeflow, read_parameters
from kedro_kubeflow.project.opening import OpenProject, open_project
from kedro_kubeflow.request import Request
from kedro_kubeflow.targets.kubeflow import KubeflowClient, connect
from kedro_kubeflow.targets.kubeflow.address import Address
from kedro_kubeflow.targets.kubeflow.connection import Patience
from kedro_kubeflow.targets.kubeflow.tls import Tls

if TYPE_CHECKING:
    from kedro_kubeflow.targets.kubeflow.runs import Run
    from kedro_kubeflow.targets.kubeflow.told import Report


@dataclass(frozen=True)
class ServerProject:
    """A project and what its kubeflow.yml says; its pipelines are not imported."""

    project: OpenProject
    config: KubeflowConfig
    parameters: dict[str, Any]

    def pipeline(self, name: str) -> str:
        """What one of its pipelines or jobs is called on the server."""
        return pipeline_name(self.project.name, name)

    def name_of(self, request: Request) -> str:
        """What that which a request asks for is called on the server.

        Raises:
            ConfigError: there is no such job.
        """
        return self.pipeline(selected(request, self.config.jobs).name)

    @property
    def experiment(self) -> str:
        """The experiment that holds its runs."""
        return self.config.run_config.experiment_name or self.project.name


def open_for_server(env: str | None = None, path: Path | None = None) -> ServerProject:
    """Read a project's configuration.

    Raises:
        ProjectError: the project cannot be opened.
        ConfigError: kubeflow.yml is wrong.
    """
    project = open_project(path, env=env)
    loader = project.config_loader()
    return ServerProject(project, read_config(read_kubeflow(loader)), read_parameters(loader))


def address_of(config: KubeflowConfig) -> Address:
    """Where the configured server and its UI are.

    Raises:
        ConfigError: no server is configured.
    """
    return Address.parse(config.host, config.ui_host)


def connect_to(config: KubeflowConfig, project: OpenProject | None = None) -> KubeflowClient:
    """A client of the configured server. Nothing is sent yet.

    Args:
        project: whose MLflow server may know more of a run than Kubeflow does.

    Raises:
        ConfigError: no server is configured, or a certificate's file is missing.
        AuthError: the credentials are missing.
    """
    host = address_of(config).host
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


def _mlflow_of(config: KubeflowConfig, project: OpenProject) -> Callable[[Run], Report]:
    """Asks the project's MLflow server, whose address is read only then."""

    def ask(run: Run) -> Report:
        from kedro_kubeflow.project.context import load_context
        from kedro_kubeflow.project.mlflow_plugin import is_installed, tracking_uri
        from kedro_kubeflow.targets.kubeflow.told_by_mlflow import MlflowTags

        enabled = config.run_config.mlflow.enabled
        tracked = enabled is True or (enabled != False and is_installed())  # noqa: E712 - it may be "auto"
        uri = tracking_uri(project.config_loader()) if tracked else None
        return MlflowTags(uri, lambda: load_context(project)).of(run)

    return ask


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
