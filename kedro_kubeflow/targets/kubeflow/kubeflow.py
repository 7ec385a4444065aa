"""The client as a whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from kedro_kubeflow.targets.kubeflow.address import Address

if TYPE_CHECKING:
    from kedro_kubeflow.auth.kubeflow import AuthProvider
    from kedro_kubeflow.targets.kubeflow.artifacts import Artifacts
    from kedro_kubeflow.targets.kubeflow.connection import Patience
    from kedro_kubeflow.targets.kubeflow.experiments import Experiments
    from kedro_kubeflow.targets.kubeflow.logs import Logs
    from kedro_kubeflow.targets.kubeflow.look import RunLook
    from kedro_kubeflow.targets.kubeflow.pending import Pods
    from kedro_kubeflow.targets.kubeflow.pipelines import Pipelines
    from kedro_kubeflow.targets.kubeflow.recurring_runs import RecurringRuns
    from kedro_kubeflow.targets.kubeflow.runs import KubeflowRun, Runs
    from kedro_kubeflow.targets.kubeflow.server import Server
    from kedro_kubeflow.targets.kubeflow.tls import Tls
    from kedro_kubeflow.targets.kubeflow.told import Report
    from kedro_kubeflow.targets.kubeflow.upload import Uploads


@dataclass(frozen=True)
class KubeflowClient:
    """One Kubeflow Pipelines server.

    Attributes:
        ask: whoever else may know what became of a run's steps.
    """

    server: Server
    ask: Callable[[KubeflowRun], Report] | None = None

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
    def artifacts(self) -> Artifacts:
        """What its runs have stored."""
        from kedro_kubeflow.targets.kubeflow.artifacts import Artifacts

        return Artifacts(self.server)

    @cached_property
    def logs(self) -> Logs:
        """The logs that it gives."""
        from kedro_kubeflow.targets.kubeflow.logs import Logs

        return Logs(self.server)

    @cached_property
    def pods(self) -> Pods:
        """The pods of its runs."""
        from kedro_kubeflow.targets.kubeflow.pending import Pods

        return Pods(self.server)

    def look(
        self, run_id: str, *, pending_timeout: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> RunLook:
        """Looks at a run."""
        from kedro_kubeflow.targets.kubeflow.look import RunLook
        from kedro_kubeflow.targets.kubeflow.pending import PendingWatch

        return RunLook(self.runs, run_id, self.report, PendingWatch(self.pods, pending_timeout), clock)

    def report(self, run: KubeflowRun, thorough: bool = True) -> Report:
        """What others than the API tell of a run: the steps' own words first, then Kubeflow's record, then pods' logs.

        Args:
            thorough: whether logs are read.
        """
        from kedro_kubeflow.targets.kubeflow.told import Report
        from kedro_kubeflow.targets.kubeflow.told_by_logs import LogsOfPods
        from kedro_kubeflow.targets.kubeflow.told_by_metadata import Metadata

        said = (self.ask(run) if self.ask else Report()).with_more(Metadata(self.server).of(run))
        return said.with_more(LogsOfPods(self.logs).of(run, said)) if thorough else said


def connect(
    host: str | None,
    *,
    ui_host: str | None = None,
    namespace: str | None = None,
    shares_pipelines: bool = False,
    credentials: AuthProvider | None = None,
    tls: Tls | None = None,
    patience: Patience | None = None,
    ask: Callable[[KubeflowRun], Report] | None = None,
) -> KubeflowClient:
    """A client of a server. Nothing is sent yet.

    Args:
        host: where the API is, with its path prefix where there is one.
        ui_host: where the UI is, if not there too.
        namespace: where to work on a server with several users.
        shares_pipelines: whether pipelines are there for all of them, in no namespace.

    Raises:
        ConfigError: there is no host, it is none, or a certificate's file is missing.
    """
    from kedro_kubeflow.auth.kubeflow.none import NoCredentials
    from kedro_kubeflow.targets.kubeflow.connection import Connection
    from kedro_kubeflow.targets.kubeflow.server import Server

    address = Address.parse(host, ui_host)
    connection = Connection(address, credentials or NoCredentials(), tls=tls, patience=patience)
    server = Server(address, connection, namespace or address.namespace, shares_pipelines)
    return KubeflowClient(server, ask)
