"""The client as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from kedro_kubeflow.targets.kubeflow.address import Address

if TYPE_CHECKING:
    from kedro_kubeflow.auth.kubeflow import AuthProvider
    from kedro_kubeflow.targets.kubeflow.connection import Patience, Tls
    from kedro_kubeflow.targets.kubeflow.experiments import Experiments
    from kedro_kubeflow.targets.kubeflow.logs import Logs
    from kedro_kubeflow.targets.kubeflow.pipelines import Pipelines
    from kedro_kubeflow.targets.kubeflow.recurring_runs import RecurringRuns
    from kedro_kubeflow.targets.kubeflow.runs import Runs
    from kedro_kubeflow.targets.kubeflow.server import Server
    from kedro_kubeflow.targets.kubeflow.upload import Uploads
    from kedro_kubeflow.targets.kubeflow.waiting import Pace, Waiting


@dataclass(frozen=True)
class KubeflowClient:
    """One Kubeflow Pipelines server."""

    server: Server

    @property
    def address(self) -> Address:
        """Where it is."""
        return self.server.address

    @cached_property
    def pipelines(self) -> Pipelines:
        """Its pipelines and their versions."""
        from kedro_kubeflow.targets.kubeflow.pipelines import Pipelines

        return Pipelines(self.server)

    @cached_property
    def uploads(self) -> Uploads:
        """Uploads to it."""
        from kedro_kubeflow.targets.kubeflow.upload import Uploads

        return Uploads(self.server)

    @cached_property
    def experiments(self) -> Experiments:
        """Its experiments."""
        from kedro_kubeflow.targets.kubeflow.experiments import Experiments

        return Experiments(self.server)

    @cached_property
    def runs(self) -> Runs:
        """Its runs."""
        from kedro_kubeflow.targets.kubeflow.runs import Runs

        return Runs(self.server)

    @cached_property
    def recurring_runs(self) -> RecurringRuns:
        """Its recurring runs."""
        from kedro_kubeflow.targets.kubeflow.recurring_runs import RecurringRuns

        return RecurringRuns(self.server)

    @cached_property
    def logs(self) -> Logs:
        """The logs that it gives."""
        from kedro_kubeflow.targets.kubeflow.logs import Logs

        return Logs(self.server)

    def wait(self, run_id: str, pace: Pace) -> Waiting:
        """Waiting for a run."""
        from kedro_kubeflow.targets.kubeflow.waiting import Waiting

        return Waiting(self.runs, run_id, pace, sleep=self.server.connection.sleep)


def connect(
    host: str | None,
    *,
    ui_host: str | None = None,
    namespace: str | None = None,
    credentials: AuthProvider | None = None,
    tls: Tls | None = None,
    patience: Patience | None = None,
) -> KubeflowClient:
    """A client of a server. Nothing is sent yet.

    Args:
        host: where the API is, with its path prefix where there is one.
        ui_host: where the UI is, if not there too.
        namespace: where to work on a server with several users.

    Raises:
        ConfigError: there is no host, it is none, or a certificate's file is missing.
    """
    from kedro_kubeflow.auth.kubeflow.none import NoCredentials
    from kedro_kubeflow.targets.kubeflow.connection import Connection
    from kedro_kubeflow.targets.kubeflow.server import Server

    address = Address.parse(host, ui_host)
    connection = Connection(address, credentials or NoCredentials(), tls=tls, patience=patience)
    return KubeflowClient(Server(address, connection, namespace))
